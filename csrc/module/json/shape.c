/* Shapes of objects: learned, published, and given back. */
#include "skin.h"

/* --- learning ------------------------------------------------------------ */

bool
fb_shape_has_room(json_shapes *all, shape_place *place)
{
    int shapes_here = 0;
    for (json_shape *one = atomic_load(place); one != NULL;
         one = atomic_load(&one->next)) {
        shapes_here++;
    }
    return shapes_here < SHAPES_MAX
           && atomic_load_explicit(&all->tried, memory_order_relaxed)
                  < SHAPES_TRIED_MAX;
}

bool
fb_shape_may_try(json_shapes *all)
{
    return atomic_fetch_add(&all->tried, 1) < SHAPES_TRIED_MAX;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

void
fb_shape_note(shape_draft *draft, const char *start, const char *end)
{
    bool is_before_value = end[-1] == ':'; /* perhaps with space between */
    while (is_before_value && is_space(*end)) {
        end++;
    }
    if (draft->count <= SHAPE_MEMBERS_MAX) {
        draft->texts[draft->count] = (span){start, (size_t)(end - start)};
    }
    draft->count++;
}

void
fb_shape_note_name(shape_draft *draft, PyObject *name)
{
    if (draft->named <= SHAPE_MEMBERS_MAX) {
        draft->names[draft->named++] = Py_NewRef(name);
    }
}

void
fb_shape_forget(shape_draft *draft)
{
    while (draft->named > 0) {
        Py_DECREF(draft->names[--draft->named]);
    }
}

static bool
is_worth_it(const shape_draft *draft)
{
    bool fits = draft->count <= SHAPE_MEMBERS_MAX + 1;
    for (Py_ssize_t i = 0; fits && i < draft->count; i++) {
        fits = draft->texts[i].len <= SHAPE_TEXT_MAX;
    }
    return fits;
}

static int
id_of(const names *all, PyObject *name)
{
    for (int id = 0; id < NAME_COUNT; id++) {
        if (PyUnicode_Compare(name, all->own[id]) == 0) {
            return id;
        }
    }
    return -1;
}

static void
set_text(shape_member *member, span text)
{
    memcpy(member->text, text.p, text.len);
    memset(member->mask, 0xff, text.len < SHAPE_HEAD ? text.len : SHAPE_HEAD);
    member->len = (uint32_t)text.len;
}

/* The names, in the model and by their ids. */
static bool
set_names(json_shape *made, const names *all, PyObject *const *given)
{
    made->model = fb_dict_model(given, made->count);
    if (made->model == NULL) {
        return false;
    }
    for (Py_ssize_t i = 0; i < made->count; i++) {
        made->members[i].id = id_of(all, given[i]);
    }
    return true;
}

static json_shape *
shape_make(const names *all, const shape_draft *draft)
{
    size_t members = (size_t)draft->count;
    json_shape *made =
        PyMem_Calloc(1, sizeof(json_shape) + members * sizeof(shape_member));
    if (made == NULL) {
        return NULL;
    }
    made->count = draft->count - 1;
    for (size_t i = 0; i < members; i++) {
        set_text(&made->members[i], draft->texts[i]);
    }
    if (!set_names(made, all, draft->names)) {
        PyErr_Clear();
        PyMem_Free(made);
        return NULL;
    }
    return made;
}

void
fb_shape_learn(const names *all, const shape_draft *draft, shape_place *place)
{
    assert(!PyErr_Occurred()); /* or an error of others would be forgotten */
    json_shape *made = is_worth_it(draft) ? shape_make(all, draft) : NULL;
    for (int i = 0; made != NULL && i < SHAPES_MAX; i++) {
        json_shape *other = NULL;
        if (atomic_compare_exchange_strong(place, &other, made)) {
            made = NULL;
        } else {
            place = &other->next;
        }
    }
    shape_place left; /* clang makes no compound literal of it */
    atomic_init(&left, made);
    fb_shape_free(&left); /* others were faster */
}

void
fb_shape_free(shape_place *place)
{
    json_shape *one = atomic_load(place);
    if (one == NULL) {
        return;
    }
    fb_shape_free(&one->next);
    for (Py_ssize_t i = 0; i < one->count; i++) {
        fb_shape_free(&one->members[i].inner);
    }
    Py_DECREF(one->model);
    PyMem_Free(one);
}

/* --- choosing ------------------------------------------------------------ */

static bool
begin_alike(const json_shape *one, const json_shape *other, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        if (memcmp(one->members[i].text, other->members[i].text,
                   SHAPE_TEXT_MAX)
            != 0) {
            return false;
        }
    }
    return true;
}

json_shape *
fb_shape_other(json_shape *than, Py_ssize_t count, const char *p)
{
    for (json_shape *one = atomic_load(&than->next); one != NULL;
         one = atomic_load(&one->next)) {
        if (one->count >= count && shape_goes_on(&one->members[count], p)
            && begin_alike(one, than, count)) {
            return one;
        }
    }
    return NULL;
}

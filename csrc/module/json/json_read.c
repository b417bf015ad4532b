/* Python objects from the events of a JSON cursor. */
#include "skin.h"

#include "json/reader.h"

/* --- values, the most usual ones in one look ----------------------------- */

/* The value of a member. */
static inline PyObject *
read_next(reader *from, shape_place *place)
{
    json_cursor *at = &from->cursor;
    plainness what = NOT_PLAIN;
    int64_t unused;
    PyObject *value =
        at->p < at->end ? reader_plain(&at->p, at->end, &what, &unused) : NULL;
    if (what == NOT_PLAIN) {
        value = fb_json_read_value(from, fb_json_value(at), place);
    }
    return reader_keep(from, value);
}

/* --- objects of no known shape ------------------------------------------- */

static bool
read_member(reader *from, PyObject *object, known_members *known,
            shape_draft *draft)
{
    int id;
    PyObject *name = fb_scalar_name(from, &id);
    PyObject *value = name == NULL ? NULL : read_next(from, NULL);
    bool ok = value != NULL && PyDict_SetItem(object, name, value) == 0;
    if (ok && draft != NULL) {
        fb_shape_note_name(draft, name);
    }
    if (ok && known != NULL && id >= 0) {
        known->of[id] = value;
        known->read &= ~(1u << id);
    }
    Py_XDECREF(name);
    Py_XDECREF(value);
    return ok;
}

/* The rest of an object of which there are `members` already; takes it over.
 * RFC 7515 4 and RFC 7519 4: a name that comes twice leaves fewer entries. */
static PyObject *
read_members(reader *from, PyObject *object, Py_ssize_t members,
             known_members *known, shape_draft *draft)
{
    const char *end = from->cursor.p - 1; /* of the last value, or the brace */
    json_event event = JSON_REFUSED;
    while (object != NULL
           && (event = fb_json_member(&from->cursor)) == JSON_NAME) {
        if (draft != NULL) {
            fb_shape_note(draft, end, from->cursor.p);
        }
        if (!read_member(from, object, known, draft)) {
            Py_CLEAR(object);
        }
        members++;
        end = from->cursor.p;
    }
    if (object == NULL) {
        return NULL;
    }
    if (event == JSON_REFUSED) {
        Py_CLEAR(object);
        return reader_refuse(from, from->cursor.error);
    }
    if (PyDict_GET_SIZE(object) != members) {
        Py_CLEAR(object);
        return reader_refuse(from, STATUS_JSON_DUPLICATE);
    }
    if (draft != NULL) {
        fb_shape_note(draft, end, from->cursor.p);
    }
    return object;
}

static PyObject *
read_and_learn(reader *from, shape_place *place, known_members *known)
{
    shape_draft draft;
    draft.count = draft.named = 0;
    PyObject *object = read_members(from, PyDict_New(), 0, known, &draft);
    if (object != NULL) {
        fb_shape_learn(&from->state->names, &draft, place);
    }
    fb_shape_forget(&draft);
    return object;
}

/* --- objects of a known shape -------------------------------------------- */

/* What was foretold, and has come. */
typedef struct {
    json_shape *as; /* it fits so far */
    bool is_whole;
    Py_ssize_t count;
    PyObject *values[SHAPE_MEMBERS_MAX]; /* owned */
} foretold;

static void
foretold_drop(foretold *found)
{
    while (found->count > 0) {
        Py_DECREF(found->values[--found->count]);
    }
}

static inline PyObject *
read_foretold_value(reader *from, const char **p, shape_member *member,
                    known_members *known)
{
    json_cursor *at = &from->cursor;
    plainness what;
    int64_t integer;
    PyObject *value = reader_plain(p, at->end, &what, &integer);
    if (what == NOT_PLAIN) {
        at->p = *p;
        value = fb_json_read_value(from, fb_json_value(at), &member->inner);
        *p = at->p;
    }
    if (known != NULL && member->id >= 0) {
        known->of[member->id] = value;
        if (what == PLAIN_INTEGER) {
            known->integers[member->id] = integer;
            known->read |= 1u << member->id;
        }
    }
    return value;
}

/* Members, as long as a shape foretells them; false for an exception. */
static bool
read_foretold(reader *from, known_members *known, foretold *found)
{
    json_cursor *at = &from->cursor;
    const char *p = at->p - 1; /* the brace belongs to the first member */
    while (!found->is_whole) {
        shape_member *member = &found->as->members[found->count];
        if (!shape_goes_on(member, p)) {
            json_shape *other = fb_shape_other(found->as, found->count, p);
            if (other == NULL) {
                at->p = found->count == 0 ? at->p : p;
                return true;
            }
            found->as = other;
            continue;
        }
        p += member->len;
        if (found->count == found->as->count) {
            found->is_whole = true;
            break;
        }
        PyObject *value = read_foretold_value(from, &p, member, known);
        if (value == NULL) {
            foretold_drop(found);
            return false;
        }
        found->values[found->count++] = value;
        at->is_first = false;
    }
    at->p = p;
    return true;
}

/* An object that began as foretold, and went on in another way. */
static PyObject *
read_rest(reader *from, known_members *known, foretold *found)
{
    PyObject *object = PyDict_New(), *name;
    Py_ssize_t at = 0;
    for (Py_ssize_t i = 0; object != NULL && i < found->count; i++) {
        PyDict_Next(found->as->model, &at, &name, NULL);
        if (PyDict_SetItem(object, name, found->values[i]) < 0) {
            Py_CLEAR(object);
        }
    }
    Py_ssize_t members = found->count;
    foretold_drop(found);
    return read_members(from, object, members, known, NULL);
}

static PyObject *
read_object(reader *from, shape_place *place, known_members *known)
{
    foretold found;
    const char *start = from->cursor.p;
    found.as = place == NULL ? NULL : atomic_load(place);
    found.count = 0;
    found.is_whole = false;
    if (found.as != NULL && !read_foretold(from, known, &found)) {
        return NULL;
    }
    if (found.is_whole) {
        from->cursor.depth--;
        from->cursor.is_first = false;
        return fb_dict_fill(from->state, found.as->model, found.values,
                            found.count);
    }
    bool has_room = place != NULL && fb_shape_has_room(from->learned, place);
    from->is_new = from->is_new || has_room;
    if (has_room && from->learns && fb_shape_may_try(from->learned)) {
        foretold_drop(&found);
        from->cursor.p = start;
        from->cursor.is_first = true;
        return read_and_learn(from, place, known);
    }
    return found.count > 0 ? read_rest(from, known, &found)
                           : read_members(from, PyDict_New(), 0, known, NULL);
}

/* --- values -------------------------------------------------------------- */

/* The cursor bounds the depth, so recursion is bounded. */
PyObject *
fb_json_read_value(reader *from, json_event event, shape_place *place)
{
    switch (event) {
    case JSON_STRING:
        return fb_scalar_text(from);
    case JSON_INTEGER:
        return fb_scalar_integer(from);
    case JSON_REAL:
        return fb_scalar_real(from);
    case JSON_OBJECT:
        return read_object(from, place, NULL);
    case JSON_ARRAY:
        return fb_json_read_array(from, place);
    case JSON_TRUE:
        return Py_NewRef(Py_True);
    case JSON_FALSE:
        return Py_NewRef(Py_False);
    case JSON_NULL:
        return Py_NewRef(Py_None);
    default:
        return reader_refuse(from, from->cursor.error);
    }
}

static PyObject *
read_whole(reader *from, span text, known_members *known)
{
    memset(known->of, 0, sizeof known->of);
    known->read = 0;
    fb_json_begin(&from->cursor, text);
    json_event event = fb_json_value(&from->cursor);
    if (event != JSON_OBJECT) {
        return reader_refuse(from, event == JSON_REFUSED
                                       ? from->cursor.error
                                       : STATUS_JSON_NOT_OBJECT);
    }
    shape_place *place = from->learned == NULL ? NULL : &from->learned->claims;
    PyObject *object = read_object(from, place, known);
    if (object != NULL && !fb_json_end(&from->cursor)) {
        Py_DECREF(object);
        return reader_refuse(from, from->cursor.error);
    }
    return object;
}

PyObject *
fb_json_read_object(const core_state *state, span text, json_shapes *learned,
                    known_members *known)
{
    reader from = {.state = state, .learned = learned};
    PyObject *object = read_whole(&from, text, known);
    known->is_new = from.is_new;
    return object;
}

PyObject *
fb_json_read_secrets(const core_state *state, span text, PyObject *kept)
{
    known_members unused;
    reader from = {.state = state, .kept = kept};
    return reader_keep(&from, read_whole(&from, text, &unused));
}

void
fb_json_learn(const core_state *state, span text, json_shapes *learned)
{
    known_members unused;
    reader from = {.state = state, .learned = learned, .learns = true};
    assert(!PyErr_Occurred()); /* or an error of others would be forgotten */
    Py_XDECREF(read_whole(&from, text, &unused));
    PyErr_Clear(); /* without the memory, another time */
}

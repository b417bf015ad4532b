/* Lists from the arrays of a JSON text. */
#include "skin.h"

#include "json/items.h"
#include "json/reader.h"

/* The next item: where one look is enough, no space stands before it. */
static PyObject *
read_item(reader *from, shape_place *place, bool *is_end)
{
    json_cursor *at = &from->cursor;
    const char *p = at->p + (at->is_first ? 0 : 1);
    if (p < at->end && (at->is_first || *at->p == ',')) {
        plainness what;
        int64_t unused;
        PyObject *value = reader_plain(&p, at->end, &what, &unused);
        if (what != NOT_PLAIN) {
            at->p = p;
            at->is_first = false;
            return reader_keep(from, value);
        }
    }
    json_event event = fb_json_item(at);
    *is_end = event == JSON_ARRAY_END;
    return *is_end ? NULL
                   : reader_keep(from, fb_json_read_value(from, event, place));
}

/* Objects in an array stand at one place. */
PyObject *
fb_json_read_array(reader *from, shape_place *place)
{
    items all;
    PyObject *list = NULL, *value;
    bool is_end = false;
    fb_items_begin(&all);
    while ((value = read_item(from, place, &is_end)) != NULL
           && items_add(&all, value)) {
    }
    if (is_end) {
        list = fb_items_list(&all);
    }
    fb_items_end(&all);
    return list;
}

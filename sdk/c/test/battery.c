/* One method for each thing that plugins in C count on; run on a replica by the tests of the project. */

#include <network_plugin_api.h>
#include <stdio.h>

NETWORK_PLUGIN_ACCESS_LEVELS { return NP_KEY_VALUE_READ | NP_KEY_VALUE_WRITE; }

NETWORK_PLUGIN_HANDLE_REQUEST {
  if (np_text_is(request->method, "echo")) return np_reply(response, 200, request->payload.ptr, request->payload.len);
  if (np_text_is(request->method, "status")) return np_reply_text(response, 65535, "as high as it goes");
  if (np_text_is(request->method, "fail")) return np_fail(error, "no such user");
  if (np_text_is(request->method, "log")) {
    np_log(NP_WARNING, "careful");
    fprintf(stderr, "by stdio\n");
    return np_reply_text(response, 200, "");
  }
  if (np_text_is(request->method, "trap")) abort();

  /* An empty value is there; a value that was never set is not. */
  np_store store = np_open("values");
  np_bytes value;
  if (!np_get(store, np_text_of("absent"), &value, error)) return false;
  if (value.ptr != NULL) return np_fail(error, "what was never set is there");
  if (!np_set(store, np_text_of("empty"), "", 0, error)) return false;
  if (!np_get(store, np_text_of("empty"), &value, error)) return false;
  if (value.ptr == NULL || value.len != 0) return np_fail(error, "what was set is not there");
  np_close(store);
  return np_reply_text(response, 200, "the store does what it says");
}

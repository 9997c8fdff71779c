#include <network_plugin_api.h>
#include <stdio.h>

// Asked once, before the first request: what the operator's policy has to allow.
NETWORK_PLUGIN_ACCESS_LEVELS { return NP_KEY_VALUE_READ | NP_KEY_VALUE_WRITE; }

NETWORK_PLUGIN_HANDLE_REQUEST {
  np_log(NP_INFO, "a request");
  // What np_fail says is what the caller gets for an answer.
  if (request->payload.len == 0) return np_fail(error, "a name is needed");

  np_store store = np_open("counters");
  np_bytes stored;
  if (!np_get(store, request->method, &stored, error)) return false;
  long count = 0;
  for (size_t at = 0; at < stored.len; at++) count = count * 10 + (stored.ptr[at] - '0');
  count += 1;

  char text[256];
  int length = snprintf(text, sizeof text, "%ld", count);
  if (!np_set(store, request->method, text, (size_t)length, error)) return false;

  length = snprintf(text, sizeof text, "Hello, %.*s! You are number %ld.", (int)request->payload.len,
                    (const char *)request->payload.ptr, count);
  if (length >= (int)sizeof text) return np_fail(error, "the name is too long");
  return np_reply(response, 200, text, (size_t)length);
}

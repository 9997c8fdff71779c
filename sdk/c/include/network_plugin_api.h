/*
 * Short names for the contract local:network-host@1.0.0, and what saves a plugin in C its copying.
 *
 * A plugin defines two functions, NETWORK_PLUGIN_ACCESS_LEVELS and NETWORK_PLUGIN_HANDLE_REQUEST. All that it is handed is
 * its own until the call ends; the state of memory starts anew with each request, so that little has to be freed.
 * The generated header, network_plugin.h, has everything by its full name, wasi:http included.
 */
#ifndef NETWORK_PLUGIN_API_H
#define NETWORK_PLUGIN_API_H

#include "network_plugin.h"

#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes and their number: text in UTF-8, or any bytes. Text has no zero at its end. */
typedef network_plugin_string_t np_text;
typedef network_plugin_list_u8_t np_bytes;
typedef exports_local_network_host_handler_rpc_request_t np_request;
typedef exports_local_network_host_handler_rpc_response_t np_response;
typedef uint8_t np_access_levels;

enum {
  NP_KEY_VALUE_READ = 1 << 0,
  NP_KEY_VALUE_WRITE = 1 << 1,
  NP_OUTBOUND_HTTP = 1 << 2,
};

typedef enum { NP_INFO = 0, NP_WARNING = 1, NP_ERROR = 2 } np_level;

/* What the policy has to allow: `NETWORK_PLUGIN_ACCESS_LEVELS { return NP_KEY_VALUE_READ; }`. */
#define NETWORK_PLUGIN_ACCESS_LEVELS np_access_levels exports_local_network_host_handler_get_access_levels(void)

/* Answers `request`: returns np_reply(…) or np_fail(…). */
#define NETWORK_PLUGIN_HANDLE_REQUEST \
  bool exports_local_network_host_handler_handle_request(np_request *request, np_response *response, np_text *error)

/* A text that ends with a zero, without copying it. */
static inline np_text np_text_of(const char *text) {
  np_text result = {(uint8_t *)text, strlen(text)};
  return result;
}

/* Is the text this one? */
static inline bool np_text_is(np_text text, const char *other) {
  return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

/* Copies of bytes that the bindings free once the host has read them. */
static inline uint8_t *np_copy(const void *bytes, size_t length) {
  uint8_t *copy = (uint8_t *)malloc(length == 0 ? 1 : length);
  if (copy == NULL) abort();
  if (length > 0) memcpy(copy, bytes, length);
  return copy;
}

/* `return np_reply(response, 200, bytes, length);` */
static inline bool np_reply(np_response *response, uint16_t status, const void *bytes, size_t length) {
  response->status = status;
  response->body.ptr = np_copy(bytes, length);
  response->body.len = length;
  return true;
}

static inline bool np_reply_text(np_response *response, uint16_t status, const char *text) {
  return np_reply(response, status, text, strlen(text));
}

/* `return np_fail(error, "no such user");`: the contract's err, which the caller reads. */
static inline bool np_fail(np_text *error, const char *text) {
  error->len = strlen(text);
  error->ptr = np_copy(text, error->len);
  return false;
}

static inline void np_log(np_level level, const char *message) {
  np_text text = np_text_of(message);
  local_network_host_logging_log((local_network_host_logging_log_level_t)level, &text);
}

/* A bucket of the host's store, to be closed by np_close. */
typedef local_network_host_key_value_store_own_key_value_store_t np_store;

static inline np_store np_open(const char *bucket) {
  np_text name = np_text_of(bucket);
  return local_network_host_key_value_store_constructor_key_value_store(&name);
}

static inline void np_close(np_store store) {
  local_network_host_key_value_store_key_value_store_drop_own(store);
}

/* Sets `value` and returns true; `value->ptr` is NULL where the store has none. Returns false with the host's text in `error`. */
static inline bool np_get(np_store store, np_text key, np_bytes *value, np_text *error) {
  network_plugin_option_list_u8_t found;
  if (!local_network_host_key_value_store_method_key_value_store_get(
          local_network_host_key_value_store_borrow_key_value_store(store), &key, &found, error))
    return false;
  value->ptr = found.is_some ? found.val.ptr : NULL;
  value->len = found.is_some ? found.val.len : 0;
  /* An empty value may have no address of its own. */
  if (found.is_some && value->ptr == NULL) value->ptr = np_copy("", 0);
  return true;
}

/* Returns false with the host's text in `error`. */
static inline bool np_set(np_store store, np_text key, const void *bytes, size_t length, np_text *error) {
  np_bytes value = {(uint8_t *)bytes, length};
  return local_network_host_key_value_store_method_key_value_store_set(
      local_network_host_key_value_store_borrow_key_value_store(store), &key, &value, error);
}

#ifdef __cplusplus
}
#endif

#endif

// Methods on the key-value store. Payload: a bucket, a key and, where one is written, a value.

#include "gauntlet.h"

typedef local_network_host_key_value_store_own_key_value_store_t store_t;
typedef local_network_host_key_value_store_borrow_key_value_store_t store_ref_t;

static string_t as_string(bytes_t bytes) {
  return (string_t){bytes.ptr, bytes.len};
}

static store_t open_bucket(bytes_t *rest) {
  string_t bucket = as_string(take_field(rest));
  return local_network_host_key_value_store_constructor_key_value_store(&bucket);
}

static bool get_value(store_ref_t store, string_t key, gauntlet_option_list_u8_t *value, string_t *error) {
  return local_network_host_key_value_store_method_key_value_store_get(store, &key, value, error);
}

static bool set_value(store_ref_t store, string_t key, bytes_t value, string_t *error) {
  return local_network_host_key_value_store_method_key_value_store_set(store, &key, &value, error);
}

static void close_bucket(store_t store) {
  local_network_host_key_value_store_key_value_store_drop_own(store);
}

static store_ref_t borrowed(store_t store) {
  return local_network_host_key_value_store_borrow_key_value_store(store);
}

static bool reply_value(response_t *response, gauntlet_option_list_u8_t value) {
  return value.is_some ? reply(response, 200, value.val) : reply_text(response, 404, text(""));
}

bool read_key(bytes_t *rest, gauntlet_option_list_u8_t *value, string_t *error) {
  store_t store = open_bucket(rest);
  bool done = get_value(borrowed(store), as_string(take_field(rest)), value, error);
  close_bucket(store);
  return done;
}

static bool get(const request_t *request, response_t *response, string_t *error) {
  bytes_t rest = request->payload;
  gauntlet_option_list_u8_t value;
  return read_key(&rest, &value, error) && reply_value(response, value);
}

static bool write_key(bytes_t *rest, bool sized, string_t *error) {
  store_t store = open_bucket(rest);
  string_t key = as_string(take_field(rest));
  bool done = set_value(borrowed(store), key, sized ? filled(number(*rest), 'v') : *rest, error);
  close_bucket(store);
  return done;
}

static bool set(const request_t *request, response_t *response, string_t *error) {
  bytes_t rest = request->payload;
  return write_key(&rest, false, error) && reply_text(response, 200, text(""));
}

// The value is that many bytes: larger than the request that asked for it.
static bool set_size(const request_t *request, response_t *response, string_t *error) {
  bytes_t rest = request->payload;
  return write_key(&rest, true, error) && reply_text(response, 200, text(""));
}

// Replies with the value that it replaced.
static bool get_set(const request_t *request, response_t *response, string_t *error) {
  bytes_t rest = request->payload;
  store_t store = open_bucket(&rest);
  string_t key = as_string(take_field(&rest));
  gauntlet_option_list_u8_t earlier;
  bool done = get_value(borrowed(store), key, &earlier, error) && set_value(borrowed(store), key, rest, error);
  close_bucket(store);
  return done && reply_value(response, earlier);
}

static bool trap_after_set(const request_t *request, response_t *response, string_t *error) {
  (void)response;
  bytes_t rest = request->payload;
  if (!write_key(&rest, false, error)) return false;
  __builtin_trap();
}

// Payload: a bucket and a number of handles, none of which is ever dropped.
static bool many_handles(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  bytes_t rest = request->payload;
  string_t bucket = as_string(take_field(&rest));
  uint64_t wanted = number(rest);
  for (uint64_t opened = 0; opened < wanted; opened++) {
    local_network_host_key_value_store_constructor_key_value_store(&bucket);
  }
  return reply_number(response, wanted);
}

// Payload: the number to pass for a handle that the host never gave out.
static bool forged_handle(const request_t *request, response_t *response, string_t *error) {
  gauntlet_option_list_u8_t value;
  store_ref_t forged = {(int32_t)number(request->payload)};
  return get_value(forged, text("some-key"), &value, error) && reply_value(response, value);
}

static bool dropped_handle(const request_t *request, response_t *response, string_t *error) {
  bytes_t rest = request->payload;
  store_t store = open_bucket(&rest);
  close_bucket(store);
  gauntlet_option_list_u8_t value;
  return get_value(borrowed(store), as_string(take_field(&rest)), &value, error) && reply_value(response, value);
}

const named_method_t STORE[] = {
    {"get", get},
    {"set", set},
    {"set-size", set_size},
    {"get-set", get_set},
    {"trap-after-set", trap_after_set},
    {"many-handles", many_handles},
    {"forged-handle", forged_handle},
    {"dropped-handle", dropped_handle},
    {0},
};

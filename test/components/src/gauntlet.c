// The gauntlet: a plugin whose method picks its behaviour, most of it bad. See ../README.md for the methods.

#include "gauntlet.h"

#include <stdlib.h>
#include <string.h>

static const named_method_t *const TABLES[] = {
#ifdef CONFORMANCE
    REPLIES, STORE, FAULTS,
#elif !defined FETCHER
    REPLIES, STORE, SYSTEM, FAULTS,
#endif
#ifdef WITH_HTTP
    HTTP,
#endif
};

static method_t find(string_t name) {
  for (size_t table = 0; table < sizeof TABLES / sizeof *TABLES; table++) {
    for (const named_method_t *method = TABLES[table]; method->name; method++) {
      if (strlen(method->name) == name.len && memcmp(method->name, name.ptr, name.len) == 0) return method->answer;
    }
  }
  return NULL;
}

bool exports_local_network_host_handler_handle_request(request_t *request, response_t *response, string_t *error) {
  method_t answer = find(request->method);
  return answer ? answer(request, response, error) : fail(error, text("no such method"));
}

string_t text(const char *characters) {
  return (string_t){(uint8_t *)characters, strlen(characters)};
}

bytes_t take_field(bytes_t *rest) {
  bytes_t field = {rest->ptr, 0};
  while (field.len < rest->len && field.ptr[field.len] != '\n') field.len++;
  size_t taken = field.len < rest->len ? field.len + 1 : field.len;
  rest->ptr += taken;
  rest->len -= taken;
  return field;
}

uint64_t number(bytes_t field) {
  uint64_t value = 0;
  for (size_t i = 0; i < field.len && field.ptr[i] >= '0' && field.ptr[i] <= '9'; i++) {
    value = value * 10 + (field.ptr[i] - '0');
  }
  return value;
}

bytes_t filled(size_t length, uint8_t value) {
  bytes_t block = {malloc(length), length};
  memset(block.ptr, value, length);
  return block;
}

// The bindings free what is returned, so what may be static or part of the request is copied.
static bytes_t copied(const uint8_t *bytes, size_t length) {
  bytes_t block = {malloc(length), length};
  memcpy(block.ptr, bytes, length);
  return block;
}

bool reply(response_t *response, uint16_t status, bytes_t body) {
  response->status = status;
  response->body = copied(body.ptr, body.len);
  return true;
}

bool reply_text(response_t *response, uint16_t status, string_t body) {
  return reply(response, status, (bytes_t){body.ptr, body.len});
}

bool reply_number(response_t *response, uint64_t value) {
  uint8_t digits[20];
  size_t start = sizeof digits;
  do {
    digits[--start] = '0' + value % 10;
    value /= 10;
  } while (value);
  return reply(response, 200, (bytes_t){digits + start, sizeof digits - start});
}

bool fail(string_t *error, string_t message) {
  bytes_t copy = copied(message.ptr, message.len);
  *error = (string_t){copy.ptr, copy.len};
  return false;
}

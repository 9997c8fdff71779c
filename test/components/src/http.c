// The methods that leave the machine. Gauntlets that ask for outbound HTTP have the first, the fetcher all but "fetch",
// which the plugin of the contract's cases has.
//
// The functions are declared by hand, as the canonical ABI lowers them: bindings for all of HTTP are 250 KB.

#include "gauntlet.h"

#define TYPES(name) __attribute__((__import_module__("wasi:http/types@0.2.0"), __import_name__(name)))
#define STREAMS(name) __attribute__((__import_module__("wasi:io/streams@0.2.0"), __import_name__(name)))
#define HANDLER(name) __attribute__((__import_module__("wasi:http/outgoing-handler@0.2.0"), __import_name__(name)))

TYPES("[constructor]fields") extern int32_t http_new_fields(void);
TYPES("[constructor]outgoing-request") extern int32_t http_new_request(int32_t headers);
TYPES("[method]outgoing-request.set-authority")
extern int32_t http_set_authority(int32_t request, int32_t is_some, const uint8_t *characters, size_t length);
TYPES("[method]outgoing-request.set-scheme")
extern int32_t http_set_scheme(int32_t request, int32_t is_some, int32_t scheme, const uint8_t *other, size_t length);
TYPES("[method]outgoing-request.set-path-with-query")
extern int32_t http_set_path(int32_t request, int32_t is_some, const uint8_t *characters, size_t length);
TYPES("[method]outgoing-request.set-method")
extern int32_t http_set_method(int32_t request, int32_t method, const uint8_t *other, size_t length);
TYPES("[method]fields.append")
extern void http_append(int32_t fields, const uint8_t *name, size_t name_length, const uint8_t *value, size_t length,
                        uint8_t *result);
TYPES("[method]outgoing-request.body") extern void http_body_of(int32_t request, uint8_t *result);
TYPES("[method]outgoing-body.write") extern void http_stream_of(int32_t body, uint8_t *result);
TYPES("[static]outgoing-body.finish")
extern void http_finish(int32_t body, int32_t has_trailers, int32_t trailers, uint8_t *result);
STREAMS("[method]output-stream.blocking-write-and-flush")
extern void http_write(int32_t stream, const uint8_t *bytes, size_t length, uint8_t *result);
STREAMS("[resource-drop]output-stream") extern void http_drop_output(int32_t stream);
TYPES("[method]incoming-response.consume") extern void http_consume(int32_t response, uint8_t *result);
TYPES("[method]incoming-body.stream") extern void http_input_of(int32_t body, uint8_t *result);
STREAMS("[method]input-stream.blocking-read") extern void http_read(int32_t stream, int64_t length, uint8_t *result);
TYPES("http-error-code") extern void http_error_code(int32_t error, uint8_t *result);
TYPES("[method]future-incoming-response.subscribe") extern int32_t http_subscribe(int32_t future);
TYPES("[resource-drop]future-incoming-response") extern void http_drop_future(int32_t future);
TYPES("[method]future-incoming-response.get") extern void http_take_response(int32_t future, uint8_t *result);
TYPES("[method]incoming-response.status") extern int32_t http_status_of(int32_t response);
HANDLER("handle")
extern void http_send(int32_t request, int32_t has_options, int32_t options, uint8_t *result);

#define SCHEME_HTTP 0
// The bound of WASI's blocking writes.
#define MAX_WRITE 4096
#define MAX_READ 65536
#define MAX_REPLY 65536
#define MAX_FETCHED (1024 * 1024)
// The last case of `method`, which has the name beside it.
#define METHOD_OTHER 9

// Large enough for each result, and aligned as the 64-bit numbers in some of them ask for.
static uint8_t result[64] __attribute__((aligned(8)));

static uint32_t word(const uint8_t *at) {
  return *(const uint32_t *)at;
}

// An `error-code` as the number of its case.
static bool fail_with(const uint8_t *code, string_t *error) {
  static char words[] = "error-code 00";
  size_t end = sizeof words - 1;
  words[end - 2] = '0' + code[0] / 10;
  words[end - 1] = '0' + code[0] % 10;
  return fail(error, text(words));
}

// Waits for the response to a request that was sent; 0 where there is none.
static int32_t await_response(string_t *error) {
  if (result[0] != 0) return fail_with(result + 8, error);
  int32_t future = (int32_t)word(result + 8);

  wasi_io_poll_own_pollable_t ready = {http_subscribe(future)};
  wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(ready));
  wasi_io_poll_pollable_drop_own(ready);

  // option<result<result<incoming-response, error-code>>>
  http_take_response(future, result);
  if (result[0] != 1 || result[8] != 0) return fail(error, text("HTTP gave no answer"));
  if (result[16] != 0) return fail_with(result + 24, error);
  return (int32_t)word(result + 24);
}

// Payload: an authority and a path. Replies with the status of `GET http://<authority><path>`.
static bool http(const request_t *request, response_t *response, string_t *error) {
  bytes_t path = request->payload;
  bytes_t authority = take_field(&path);
  int32_t outgoing = http_new_request(http_new_fields());
  bool accepted = !http_set_scheme(outgoing, 1, SCHEME_HTTP, NULL, 0) &&
                  !http_set_authority(outgoing, 1, authority.ptr, authority.len) &&
                  !http_set_path(outgoing, 1, path.ptr, path.len);
  if (!accepted) return fail(error, text("HTTP refused the request"));

  http_send(outgoing, 0, 0, result);
  int32_t incoming = await_response(error);
  return incoming && reply_text(response, (uint16_t)http_status_of(incoming), text(""));
}

#if defined FETCHER || defined CONFORMANCE

// A `stream-error`: the end, or an error that tells why.
static bool fail_with_stream(const uint8_t *stream_error, string_t *error) {
  if (stream_error[0] != 0) return fail(error, text("HTTP closed the stream"));
  http_error_code((int32_t)word(stream_error + 4), result);
  return result[0] == 1 ? fail_with(result + 8, error) : fail(error, text("HTTP gave no reason"));
}

static bool write_body(int32_t body, bytes_t bytes, string_t *error) {
  http_stream_of(body, result);
  int32_t stream = (int32_t)word(result + 4);
  for (size_t at = 0; at < bytes.len; at += MAX_WRITE) {
    size_t length = bytes.len - at < MAX_WRITE ? bytes.len - at : MAX_WRITE;
    http_write(stream, bytes.ptr + at, length, result);
    if (result[0] != 0) return fail_with_stream(result + 4, error);
  }
  http_drop_output(stream);
  http_finish(body, 0, 0, result);
  return result[0] == 0 || fail_with(result + 8, error);
}

// Reads a body to its end; what it was is in `whole` if there is room for it, its length always.
static bool read_body(int32_t response, bytes_t *whole, size_t room, string_t *error) {
  http_consume(response, result);
  http_input_of((int32_t)word(result + 4), result);
  int32_t stream = (int32_t)word(result + 4);
  for (;;) {
    http_read(stream, MAX_READ, result);
    if (result[0] != 0) break;
    const uint8_t *chunk = (const uint8_t *)word(result + 4);
    for (size_t i = 0; i < word(result + 8) && whole->len + i < room; i++) whole->ptr[whole->len + i] = chunk[i];
    whole->len += word(result + 8);
  }
  return result[4] == 1 || fail_with_stream(result + 4, error);
}

#endif

#ifdef CONFORMANCE

// Payload: a method, a URL and, where there are more lines, the body. Replies as the server did.
static bool fetch(const request_t *request, response_t *response, string_t *error) {
  bytes_t rest = request->payload;
  bytes_t method = take_field(&rest), url = take_field(&rest);
  bytes_t authority = {url.ptr + sizeof "http://" - 1, 0};
  while (authority.ptr + authority.len < url.ptr + url.len && authority.ptr[authority.len] != '/') authority.len++;
  bytes_t path = {authority.ptr + authority.len, (size_t)(url.ptr + url.len - authority.ptr - authority.len)};

  int32_t outgoing = http_new_request(http_new_fields());
  bool accepted = !http_set_method(outgoing, METHOD_OTHER, method.ptr, method.len) &&
                  !http_set_scheme(outgoing, 1, SCHEME_HTTP, NULL, 0) &&
                  !http_set_authority(outgoing, 1, authority.ptr, authority.len) &&
                  !http_set_path(outgoing, 1, path.ptr, path.len);
  if (!accepted) return fail(error, text("HTTP refused the request"));
  int32_t body = 0;
  if (rest.len) {
    http_body_of(outgoing, result);
    body = (int32_t)word(result + 4);
  }
  http_send(outgoing, 0, 0, result);
  if (result[0] != 0) return fail_with(result + 8, error);
  int32_t future = (int32_t)word(result + 8);
  if (body && !write_body(body, rest, error)) return false;
  // As `handle` has left it.
  result[0] = 0;
  *(uint32_t *)(result + 8) = (uint32_t)future;
  int32_t incoming = await_response(error);
  if (!incoming) return false;

  bytes_t whole = filled(MAX_FETCHED, 0);
  whole.len = 0;
  uint16_t status = (uint16_t)http_status_of(incoming);
  if (!read_body(incoming, &whole, MAX_FETCHED, error)) return false;
  if (whole.len > MAX_FETCHED) return fail(error, text("the body is too large"));
  return reply(response, status, whole);
}

#endif

#ifdef FETCHER

// Payload: a method's case, an authority, a path, a header's name and its value, the body's length (or nothing, for a
// request without one), and the body, which is filled with `b` where it is shorter. Replies as the server did; a body
// that is longer than the room for it is told by its length alone.
static bool http_full(const request_t *request, response_t *response, string_t *error) {
  bytes_t rest = request->payload;
  int32_t method = (int32_t)number(take_field(&rest));
  bytes_t authority = take_field(&rest), path = take_field(&rest);
  bytes_t name = take_field(&rest), value = take_field(&rest), length = take_field(&rest);

  int32_t fields = http_new_fields();
  if (name.len) http_append(fields, name.ptr, name.len, value.ptr, value.len, result);
  if (name.len && result[0] != 0) return fail(error, text("HTTP refused the field"));
  int32_t outgoing = http_new_request(fields);
  bool accepted = !http_set_method(outgoing, method, NULL, 0) && !http_set_scheme(outgoing, 1, SCHEME_HTTP, NULL, 0) &&
                  !http_set_authority(outgoing, 1, authority.ptr, authority.len) &&
                  !http_set_path(outgoing, 1, path.ptr, path.len);
  if (!accepted) return fail(error, text("HTTP refused the request"));

  int32_t body = 0;
  if (length.len) {
    http_body_of(outgoing, result);
    body = (int32_t)word(result + 4);
  }
  http_send(outgoing, 0, 0, result);
  if (result[0] != 0) return fail_with(result + 8, error);
  int32_t future = (int32_t)word(result + 8);
  if (body) {
    bytes_t bytes = filled(number(length), 'b');
    for (size_t i = 0; i < rest.len && i < bytes.len; i++) bytes.ptr[i] = rest.ptr[i];
    if (!write_body(body, bytes, error)) return false;
  }
  // As `handle` has left it.
  result[0] = 0;
  *(uint32_t *)(result + 8) = (uint32_t)future;
  int32_t incoming = await_response(error);
  if (!incoming) return false;

  bytes_t whole = filled(MAX_REPLY, 0);
  whole.len = 0;
  uint16_t status = (uint16_t)http_status_of(incoming);
  if (!read_body(incoming, &whole, MAX_REPLY, error)) return false;
  if (whole.len > MAX_REPLY) return reply_number(response, whole.len);
  return reply(response, status, whole);
}

// Payload: an authority and a count. Opens so many requests and lets go of each at once; replies with the count.
static bool http_drop(const request_t *request, response_t *response, string_t *error) {
  bytes_t rest = request->payload;
  bytes_t authority = take_field(&rest);
  uint64_t count = number(rest);
  for (uint64_t i = 0; i < count; i++) {
    int32_t outgoing = http_new_request(http_new_fields());
    http_set_scheme(outgoing, 1, SCHEME_HTTP, NULL, 0);
    http_set_authority(outgoing, 1, authority.ptr, authority.len);
    http_send(outgoing, 0, 0, result);
    if (result[0] != 0) return fail_with(result + 8, error);
    http_drop_future((int32_t)word(result + 8));
  }
  return reply_number(response, count);
}

TYPES("[method]outgoing-request.headers") extern int32_t http_request_headers(int32_t request);
TYPES("[resource-drop]outgoing-request") extern void http_drop_request(int32_t request);
TYPES("[resource-drop]outgoing-body") extern void http_drop_outgoing_body(int32_t body);
TYPES("[resource-drop]fields") extern void http_drop_fields(int32_t fields);
TYPES("[method]incoming-response.headers") extern int32_t http_response_headers(int32_t response);
TYPES("[resource-drop]incoming-response") extern void http_drop_response(int32_t response);
TYPES("[resource-drop]incoming-body") extern void http_drop_incoming_body(int32_t body);
STREAMS("[resource-drop]input-stream") extern void http_drop_input(int32_t stream);
TYPES("[static]incoming-body.finish") extern int32_t http_finish_incoming(int32_t body);
TYPES("[method]future-trailers.subscribe") extern int32_t http_subscribe_trailers(int32_t future);
TYPES("[method]future-trailers.get") extern void http_take_trailers(int32_t future, uint8_t *result);
TYPES("[resource-drop]future-trailers") extern void http_drop_trailers(int32_t future);
TYPES("[constructor]outgoing-response") extern int32_t http_new_response(int32_t headers);
TYPES("[method]outgoing-response.status-code") extern int32_t http_status_code(int32_t response);
TYPES("[method]outgoing-response.set-status-code") extern int32_t http_set_status(int32_t response, int32_t status);
TYPES("[method]outgoing-response.headers") extern int32_t http_outgoing_headers(int32_t response);
TYPES("[resource-drop]outgoing-response") extern void http_drop_outgoing_response(int32_t response);

static bool is(bytes_t field, const char *word) {
  string_t expected = text(word);
  for (size_t i = 0; i < field.len && i < expected.len; i++)
    if (field.ptr[i] != expected.ptr[i]) return false;
  return field.len == expected.len;
}

static void let_go_of_outgoing_body(bool finishes, bool in_order) {
  http_body_of(http_new_request(http_new_fields()), result);
  int32_t body = (int32_t)word(result + 4);
  http_stream_of(body, result);
  int32_t stream = (int32_t)word(result + 4);
  if (in_order) http_drop_output(stream);
  if (finishes) http_finish(body, 0, 0, result);
  else http_drop_outgoing_body(body);
  if (!in_order) http_drop_output(stream);
}

static void let_go_of_outgoing_request(bool sends, bool in_order) {
  int32_t request = http_new_request(http_new_fields());
  int32_t headers = http_request_headers(request);
  if (in_order) http_drop_fields(headers);
  if (sends) http_send(request, 0, 0, result);
  else http_drop_request(request);
  if (!in_order) http_drop_fields(headers);
}

static bool let_go_of_outgoing_response(bool in_order, string_t *error) {
  int32_t response = http_new_response(http_new_fields());
  bool is_ok = http_status_code(response) == 200 && !http_set_status(response, 404) &&
               http_status_code(response) == 404 && http_set_status(response, 99);
  if (!is_ok) return fail(error, text("HTTP has other statuses"));
  int32_t headers = http_outgoing_headers(response);
  if (in_order) http_drop_fields(headers);
  http_drop_outgoing_response(response);
  if (!in_order) http_drop_fields(headers);
  return true;
}

static void let_go_of_incoming_response(int32_t response, bool in_order) {
  int32_t headers = http_response_headers(response);
  if (in_order) http_drop_fields(headers);
  http_drop_response(response);
  if (!in_order) http_drop_fields(headers);
}

static void let_go_of_incoming_body(int32_t response, bool finishes, bool in_order) {
  http_consume(response, result);
  int32_t body = (int32_t)word(result + 4);
  http_input_of(body, result);
  int32_t stream = (int32_t)word(result + 4);
  if (in_order) http_drop_input(stream);
  if (finishes) http_drop_trailers(http_finish_incoming(body));
  else http_drop_incoming_body(body);
  if (!in_order) http_drop_input(stream);
}

static bool let_go_of_trailers(int32_t response, bool in_order, string_t *error) {
  http_consume(response, result);
  int32_t future = http_finish_incoming((int32_t)word(result + 4));
  wasi_io_poll_own_pollable_t ready = {http_subscribe_trailers(future)};
  wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(ready));
  wasi_io_poll_pollable_drop_own(ready);
  // option<result<result<option<trailers>, error-code>>>
  http_take_trailers(future, result);
  if (result[0] != 1 || result[8] != 0 || result[16] != 0 || result[24] != 1)
    return fail(error, text("HTTP gave no trailers"));
  int32_t fields = (int32_t)word(result + 28);
  if (in_order) http_drop_fields(fields);
  http_drop_trailers(future);
  if (!in_order) http_drop_fields(fields);
  return true;
}

// Payload: a resource, `in order` or anything else, and an authority, which some of them are asked of. Lets go of such a
// resource and of what is a part of it: in order, which is the part first, or the other way round. Replies with 200.
static bool http_let_go(const request_t *request, response_t *response, string_t *error) {
  bytes_t rest = request->payload;
  bytes_t what = take_field(&rest);
  bool in_order = is(take_field(&rest), "in order");
  if (is(what, "outgoing-body")) let_go_of_outgoing_body(false, in_order);
  else if (is(what, "outgoing-body.finish")) let_go_of_outgoing_body(true, in_order);
  else if (is(what, "outgoing-request")) let_go_of_outgoing_request(false, in_order);
  else if (is(what, "outgoing-handler.handle")) let_go_of_outgoing_request(true, in_order);
  else if (is(what, "outgoing-response")) {
    if (!let_go_of_outgoing_response(in_order, error)) return false;
  } else {
    int32_t outgoing = http_new_request(http_new_fields());
    http_set_scheme(outgoing, 1, SCHEME_HTTP, NULL, 0);
    http_set_authority(outgoing, 1, rest.ptr, rest.len);
    http_send(outgoing, 0, 0, result);
    int32_t incoming = await_response(error);
    if (!incoming) return false;
    if (is(what, "incoming-response")) let_go_of_incoming_response(incoming, in_order);
    else if (is(what, "incoming-body")) let_go_of_incoming_body(incoming, false, in_order);
    else if (is(what, "incoming-body.finish")) let_go_of_incoming_body(incoming, true, in_order);
    else if (!let_go_of_trailers(incoming, in_order, error)) return false;
  }
  return reply_text(response, 200, text(""));
}

#endif

const named_method_t HTTP[] = {
    {"http", http},
#ifdef CONFORMANCE
    {"fetch", fetch},
#endif
#ifdef FETCHER
    {"http-full", http_full},
    {"http-drop", http_drop},
    {"http-let-go", http_let_go},
#endif
    {0},
};

// As generated bindings do, so that the object file with the types of these functions is linked.
extern void __component_type_object_force_link_outbound_http(void);
__attribute__((used)) void link_types_of_outbound_http(void) {
  __component_type_object_force_link_outbound_http();
}

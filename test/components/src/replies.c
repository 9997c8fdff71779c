// Methods that answer at once, and ask nothing of the host.

#include "gauntlet.h"

#include <stdlib.h>

static bool echo(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  return reply(response, 200, request->payload);
}

static bool id(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  return reply_text(response, 200, request->id);
}

static bool status(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  return reply_text(response, (uint16_t)number(request->payload), text(""));
}

static bool big_reply(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  response->status = 200;
  response->body = filled(number(request->payload), 'x');
  return true;
}

static bool err(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)response;
  return fail(error, text("the plugin says no"));
}

static bool err_payload(const request_t *request, response_t *response, string_t *error) {
  (void)response;
  return fail(error, (string_t){request->payload.ptr, request->payload.len});
}

// Both tell fresh state from state that an earlier request left behind.
static uint64_t calls;
static bytes_t remembered;

static bool count(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)error;
  return reply_number(response, ++calls);
}

static bool remember(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  bytes_t earlier = remembered;
  remembered = filled(request->payload.len, 0);
  for (size_t i = 0; i < remembered.len; i++) remembered.ptr[i] = request->payload.ptr[i];
  return reply(response, 200, earlier);
}

#ifdef CONFORMANCE
static bool own_name(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  return reply_text(response, 200, request->method);
}
#endif

const named_method_t REPLIES[] = {
    {"echo", echo}, {"id", id},   {"status", status},           {"big-reply", big_reply},
    {"err", err},   {"err-payload", err_payload}, {"count", count}, {"remember", remember},
#ifdef CONFORMANCE
    {"fail", err_payload}, {"méthode-方法-🙂", own_name},
#endif
    {0},
};

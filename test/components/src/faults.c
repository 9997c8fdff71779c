// Methods that never answer as they should.

#include "gauntlet.h"

#define PAGE_BYTES 65536

// Volatile, so that no compiler may take a loop for one that ends.
static volatile uint32_t turns;

static bool trap(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)response, (void)error;
  __builtin_trap();
}

static bool loop(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)response, (void)error;
  for (;;) turns++;
}

// Computes for ever, but only after a call in which the host suspended it.
static bool loop_after_get(const request_t *request, response_t *response, string_t *error) {
  (void)response;
  bytes_t rest = request->payload;
  gauntlet_option_list_u8_t value;
  if (!read_key(&rest, &value, error)) return false;
  for (;;) turns++;
}

__attribute__((noinline)) static uint32_t descend(uint32_t depth) {
  // Ends in theory only: the stack is used up long before.
  return depth == UINT32_MAX ? turns : descend(depth + 1) * 3 + turns;
}

static bool recurse(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)error;
  return reply_number(response, descend(0));
}

// Payload: "ok" or anything else, which exits with an error.
static bool exit_with(const request_t *request, response_t *response, string_t *error) {
  (void)response, (void)error;
  wasi_cli_exit_result_void_void_t status = {.is_err = request->payload.len != 2};
  wasi_cli_exit_exit(&status);
  __builtin_unreachable();
}

// Grows the memory page by page, writing to each so that the machine must really provide it.
static uint64_t grow_by(uint64_t pages) {
  for (uint64_t granted = 0; granted < pages; granted++) {
    size_t before = __builtin_wasm_memory_grow(0, 1);
    if (before == SIZE_MAX) return granted;
    *(volatile uint8_t *)(before * PAGE_BYTES) = 1;
  }
  return pages;
}

static bool hog(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)response, (void)error;
  grow_by(UINT64_MAX);
  __builtin_trap();
}

// Payload: how many pages of 64 KiB. Replies with how many were granted.
static bool grow(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  return reply_number(response, grow_by(number(request->payload)));
}

// A reply that lies outside the memory.
static bool bad_pointer(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)error;
  response->status = 200;
  response->body = (bytes_t){(uint8_t *)0xfffffff0, 4096};
  return true;
}

// A reply whose length alone is a gigabyte more than there is memory.
static bool bad_length(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  response->status = 200;
  response->body = (bytes_t){request->payload.ptr, 1u << 30};
  return true;
}

static bool bad_text(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)response;
  return fail(error, text("\xff\xfe is no UTF-8"));
}

const named_method_t FAULTS[] = {
    {"trap", trap}, {"loop", loop}, {"loop-after-get", loop_after_get}, {"recurse", recurse},         {"exit", exit_with},
    {"hog", hog},   {"grow", grow}, {"bad-pointer", bad_pointer},       {"bad-length", bad_length}, {"bad-text", bad_text},
    {0},
};

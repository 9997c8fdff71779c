// Methods on logging and WASI: what a plugin can learn of the machine, fill up, or wait for.

#include "gauntlet.h"

#include <stdlib.h>
#include <string.h>

// A terminal's colours and title, a line break, and a line that would pass for one of the host's own.
#define ESCAPES "\x1b[31mred\x1b[0m \x1b]0;owned\x07 \r\n{\"level\":60,\"msg\":\"not from the host\"}\n"

// The most that one blocking write to an output stream may carry.
#define MAX_WRITE_BYTES 4096

static void log_at(local_network_host_logging_log_level_t level, string_t message) {
  local_network_host_logging_log(level, &message);
}

static void say(string_t message) {
  log_at(LOCAL_NETWORK_HOST_LOGGING_LOG_LEVEL_INFO, message);
}

static bool log_payload(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  string_t message = {request->payload.ptr, request->payload.len};
  for (uint8_t level = 0; level <= LOCAL_NETWORK_HOST_LOGGING_LOG_LEVEL_ERROR; level++) log_at(level, message);
  return reply_text(response, 200, text(""));
}

// Payload: how many lines, and of how many bytes.
static bool log_flood(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  bytes_t rest = request->payload;
  uint64_t lines = number(take_field(&rest));
  bytes_t line = filled(number(rest), 'l');
  for (uint64_t i = 0; i < lines; i++) say((string_t){line.ptr, line.len});
  return reply_text(response, 200, text(""));
}

static bool log_escapes(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)error;
  say(text(ESCAPES));
  return reply_text(response, 200, text(""));
}

static bool log_bad_level(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)error;
  log_at(99, text("a level that does not exist"));
  return reply_text(response, 200, text(""));
}

static bool log_bad_text(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)error;
  say(text("\xff\xfe is no UTF-8"));
  return reply_text(response, 200, text(""));
}

static bool write_all(wasi_io_streams_own_output_stream_t stream, bytes_t bytes, uint64_t times) {
  wasi_io_streams_stream_error_t failure;
  for (uint64_t i = 0; i < times; i++) {
    if (!wasi_io_streams_method_output_stream_blocking_write_and_flush(wasi_io_streams_borrow_output_stream(stream),
                                                                       &bytes, &failure)) {
      return false;
    }
  }
  return true;
}

static bool finish_write(bool written, response_t *response, string_t *error) {
  return written ? reply_text(response, 200, text("")) : fail(error, text("the stream refused"));
}

static bool stdout_payload(const request_t *request, response_t *response, string_t *error) {
  return finish_write(write_all(wasi_cli_stdout_get_stdout(), request->payload, 1), response, error);
}

static bool stderr_payload(const request_t *request, response_t *response, string_t *error) {
  return finish_write(write_all(wasi_cli_stderr_get_stderr(), request->payload, 1), response, error);
}

// Payload: how many writes of 4,096 bytes.
static bool stdout_flood(const request_t *request, response_t *response, string_t *error) {
  static const char escapes[] = ESCAPES;
  bytes_t block = filled(MAX_WRITE_BYTES, 'o');
  memcpy(block.ptr, escapes, sizeof escapes - 1);
  return finish_write(write_all(wasi_cli_stdout_get_stdout(), block, number(request->payload)), response, error);
}

// A write of one byte more than the stream permits, which WASI answers by a trap.
static bool over_permit(const request_t *request, response_t *response, string_t *error) {
  (void)request;
  wasi_io_streams_own_output_stream_t stream = wasi_cli_stdout_get_stdout();
  wasi_io_streams_borrow_output_stream_t borrowed = wasi_io_streams_borrow_output_stream(stream);
  wasi_io_streams_stream_error_t failure;
  uint64_t permitted = 0;
  if (!wasi_io_streams_method_output_stream_check_write(borrowed, &permitted, &failure)) {
    return fail(error, text("the stream refused"));
  }
  bytes_t block = filled((size_t)permitted + 1, 'o');
  return finish_write(wasi_io_streams_method_output_stream_write(borrowed, &block, &failure), response, error);
}

static wasi_clocks_monotonic_clock_own_pollable_t timer(bytes_t milliseconds) {
  return wasi_clocks_monotonic_clock_subscribe_duration(number(milliseconds) * 1000000);
}

// Payload: milliseconds.
static bool sleep_by_block(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(timer(request->payload)));
  return reply_text(response, 200, text(""));
}

// Payload: milliseconds. A second timer, which will not be the first, is polled beside it.
static bool sleep_by_poll(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  wasi_io_poll_borrow_pollable_t timers[] = {
      wasi_io_poll_borrow_pollable(wasi_clocks_monotonic_clock_subscribe_duration(UINT64_MAX)),
      wasi_io_poll_borrow_pollable(timer(request->payload)),
  };
  wasi_io_poll_list_borrow_pollable_t list = {timers, sizeof timers / sizeof *timers};
  gauntlet_list_u32_t ready;
  wasi_io_poll_poll(&list, &ready);
  return reply_number(response, ready.len == 1 ? ready.ptr[0] : ready.len);
}

static bool poll_nothing(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)error;
  wasi_io_poll_list_borrow_pollable_t nothing = {NULL, 0};
  gauntlet_list_u32_t ready;
  wasi_io_poll_poll(&nothing, &ready);
  return reply_number(response, ready.len);
}

static bool monotonic(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)error;
  return reply_number(response, wasi_clocks_monotonic_clock_now());
}

static bool wall(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)error;
  wasi_clocks_wall_clock_datetime_t now;
  wasi_clocks_wall_clock_now(&now);
  return reply_number(response, now.seconds);
}

static void append(bytes_t *all, string_t line) {
  uint8_t *longer = malloc(all->len + line.len + 1);
  memcpy(longer, all->ptr, all->len);
  memcpy(longer + all->len, line.ptr, line.len);
  longer[all->len + line.len] = '\n';
  *all = (bytes_t){longer, all->len + line.len + 1};
}

// Replies with every argument, the working directory, and every variable's name and value, a line each.
static bool env(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)error;
  gauntlet_list_string_t arguments;
  gauntlet_list_tuple2_string_string_t variables;
  string_t directory;
  bytes_t all = {NULL, 0};
  wasi_cli_environment_get_arguments(&arguments);
  wasi_cli_environment_get_environment(&variables);
  for (size_t i = 0; i < arguments.len; i++) append(&all, arguments.ptr[i]);
  if (wasi_cli_environment_initial_cwd(&directory)) append(&all, directory);
  for (size_t i = 0; i < variables.len; i++) {
    append(&all, variables.ptr[i].f0);
    append(&all, variables.ptr[i].f1);
  }
  return reply(response, 200, all);
}

static bool random_bytes(const request_t *request, response_t *response, string_t *error) {
  (void)request, (void)error;
  response->status = 200;
  wasi_random_random_get_random_bytes(16, &response->body);
  return true;
}

// Payload: how many bytes to ask for. Replies with how many came.
static bool random_size(const request_t *request, response_t *response, string_t *error) {
  (void)error;
  bytes_t drawn;
  wasi_random_random_get_random_bytes(number(request->payload), &drawn);
  return reply_number(response, drawn.len);
}

const named_method_t SYSTEM[] = {
    {"log", log_payload},
    {"log-flood", log_flood},
    {"log-escapes", log_escapes},
    {"log-bad-level", log_bad_level},
    {"log-bad-text", log_bad_text},
    {"stdout", stdout_payload},
    {"stderr", stderr_payload},
    {"stdout-flood", stdout_flood},
    {"over-permit", over_permit},
    {"sleep", sleep_by_block},
    {"sleep-poll", sleep_by_poll},
    {"poll-nothing", poll_nothing},
    {"monotonic", monotonic},
    {"wall", wall},
    {"env", env},
    {"random", random_bytes},
    {"random-size", random_size},
    {0},
};

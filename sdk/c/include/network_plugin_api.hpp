/*
 * The contract local:network-host@1.0.0 in C++20, without exceptions: a plugin is two functions, and
 * NETWORK_PLUGIN(levels, handler).
 */
#ifndef NETWORK_PLUGIN_API_HPP
#define NETWORK_PLUGIN_API_HPP

#include "network_plugin_api.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace network_plugin {

/* What the policy has to allow, joined by `|`. */
enum class AccessLevels : np_access_levels {
  none = 0,
  key_value_read = NP_KEY_VALUE_READ,
  key_value_write = NP_KEY_VALUE_WRITE,
  outbound_http = NP_OUTBOUND_HTTP,
};

constexpr AccessLevels operator|(AccessLevels a, AccessLevels b) {
  return static_cast<AccessLevels>(static_cast<np_access_levels>(a) | static_cast<np_access_levels>(b));
}

/* Views of what the host handed over, for the length of the call. */
struct Request {
  std::string_view id;
  std::string_view method;
  std::string_view payload;
};

struct Response {
  std::uint16_t status = 200;
  std::string body;
};

/* The contract's err, which the caller reads. */
struct Error {
  std::string text;
};

/* A value, or why there is none: `if (!result) return result.error();`. */
template <typename T> class Result {
public:
  Result(T value) : outcome_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : outcome_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return outcome_.index() == 0; }
  /* Only of a result that is true, as for error() of one that is not. */
  T &operator*() { return *std::get_if<0>(&outcome_); }
  T *operator->() { return std::get_if<0>(&outcome_); }
  Error &error() { return *std::get_if<1>(&outcome_); }

private:
  std::variant<T, Error> outcome_;
};

enum class Level { info = NP_INFO, warning = NP_WARNING, error = NP_ERROR };

inline np_text text_of(std::string_view text) {
  return {reinterpret_cast<std::uint8_t *>(const_cast<char *>(text.data())), text.size()};
}

inline void log(Level level, std::string_view message) {
  np_text text = text_of(message);
  local_network_host_logging_log(static_cast<local_network_host_logging_log_level_t>(level), &text);
}

/* A bucket of the host's store, open for as long as the object lives. */
class KeyValueStore {
public:
  explicit KeyValueStore(std::string_view bucket) {
    np_text name = text_of(bucket);
    store_ = local_network_host_key_value_store_constructor_key_value_store(&name);
  }
  KeyValueStore(const KeyValueStore &) = delete;
  KeyValueStore &operator=(const KeyValueStore &) = delete;
  ~KeyValueStore() { np_close(store_); }

  Result<std::optional<std::string>> get(std::string_view key) const {
    np_bytes value;
    np_text error;
    if (!np_get(store_, text_of(key), &value, &error)) return taken(error);
    if (value.ptr == nullptr) return std::optional<std::string>();
    std::optional<std::string> found(std::in_place, reinterpret_cast<const char *>(value.ptr), value.len);
    std::free(value.ptr);
    return found;
  }

  Result<std::monostate> set(std::string_view key, std::string_view value) const {
    np_text error;
    if (!np_set(store_, text_of(key), value.data(), value.size(), &error)) return taken(error);
    return std::monostate();
  }

private:
  static Error taken(np_text error) {
    Error result{std::string(reinterpret_cast<const char *>(error.ptr), error.len)};
    network_plugin_string_free(&error);
    return result;
  }

  np_store store_;
};

namespace detail {

inline std::string_view view(const std::uint8_t *bytes, std::size_t length) {
  return {reinterpret_cast<const char *>(bytes), length};
}

template <typename Handler>
bool handle(Handler handler, np_request *request, np_response *response, np_text *error) {
  Result<Response> result = handler(Request{view(request->id.ptr, request->id.len),
                                            view(request->method.ptr, request->method.len),
                                            view(request->payload.ptr, request->payload.len)});
  if (result) return np_reply(response, result->status, result->body.data(), result->body.size());
  error->len = result.error().text.size();
  error->ptr = np_copy(result.error().text.data(), error->len);
  return false;
}

} // namespace detail
} // namespace network_plugin

/* Exports a plugin: its access levels, and its `Result<Response> handler(Request)`. Once in a program. */
#define NETWORK_PLUGIN(levels, handler)                                                            \
  extern "C" NETWORK_PLUGIN_ACCESS_LEVELS { return static_cast<np_access_levels>(levels); }        \
  extern "C" NETWORK_PLUGIN_HANDLE_REQUEST {                                                       \
    return network_plugin::detail::handle(handler, request, response, error);                      \
  }

#endif

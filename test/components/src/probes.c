// Plugins whose `get-access-levels` the host must survive, chosen when compiling: `-DPROBE_<NAME>`.
//
// Every request that gets through to them writes to the store, so that a test sees which grant they got.

#include "../generated/gauntlet.h"

#include <stddef.h>

typedef exports_local_network_host_handler_rpc_request_t request_t;
typedef exports_local_network_host_handler_rpc_response_t response_t;
typedef local_network_host_key_value_store_own_key_value_store_t store_t;

static bool write_to_store(gauntlet_string_t *error) {
  gauntlet_string_t bucket, key;
  gauntlet_string_set(&bucket, "user-data");
  gauntlet_string_set(&key, "probe");
  gauntlet_list_u8_t value = {(uint8_t *)"reached", 7};
  store_t store = local_network_host_key_value_store_constructor_key_value_store(&bucket);
  bool done = local_network_host_key_value_store_method_key_value_store_set(
      local_network_host_key_value_store_borrow_key_value_store(store), &key, &value, error);
  local_network_host_key_value_store_key_value_store_drop_own(store);
  return done;
}

uint8_t exports_local_network_host_handler_get_access_levels(void) {
#if defined PROBE_LOOP
  for (volatile uint32_t turns = 0;; turns++) {
  }
#elif defined PROBE_TRAP
  __builtin_trap();
#elif defined PROBE_HOG
  for (size_t page; (page = __builtin_wasm_memory_grow(0, 1)) != SIZE_MAX;) *(volatile uint8_t *)(page << 16) = 1;
  __builtin_trap();
#elif defined PROBE_STORE
  // Uses what it is about to ask for.
  gauntlet_string_t error;
  write_to_store(&error);
  return LOCAL_NETWORK_HOST_TYPES_ACCESS_LEVELS_KEY_VALUE_WRITE;
#elif defined PROBE_CHANGING
  // Nothing the first time, everything from then on.
  static uint8_t calls;
  return calls++ ? 7 : 0;
#elif defined PROBE_UNKNOWN_BITS
  // The flag to write, and five bits that the contract does not define.
  return LOCAL_NETWORK_HOST_TYPES_ACCESS_LEVELS_KEY_VALUE_WRITE | 0xf8;
#else
#error "choose a PROBE_<NAME>"
#endif
}

bool exports_local_network_host_handler_handle_request(request_t *request, response_t *response,
                                                       gauntlet_string_t *error) {
  (void)request;
  response->status = 200;
  response->body = (gauntlet_list_u8_t){NULL, 0};
  return write_to_store(error);
}

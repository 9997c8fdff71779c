// Replies with the request's payload, unchanged.

#include "generated/echo.h"

typedef exports_local_network_host_handler_rpc_request_t request_t;
typedef exports_local_network_host_handler_rpc_response_t response_t;

uint8_t exports_local_network_host_handler_get_access_levels(void) {
  return 0;
}

bool exports_local_network_host_handler_handle_request(request_t *request, response_t *response, echo_string_t *error) {
  (void)error;
  response->status = 200;
  // The bindings free the reply after the host has read it, so the payload is handed over, not copied.
  response->body = request->payload;
  echo_string_free(&request->id);
  echo_string_free(&request->method);
  return true;
}

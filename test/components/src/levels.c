// An honest answer to `get-access-levels`, chosen when compiling: `-DLEVELS=<flags>`.

#include "gauntlet.h"

uint8_t exports_local_network_host_handler_get_access_levels(void) {
  return LEVELS;
}

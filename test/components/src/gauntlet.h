// What the parts of the gauntlet share: short names for the generated types, and the shape of a method.

#pragma once

#include "../generated/gauntlet.h"

typedef exports_local_network_host_handler_rpc_request_t request_t;
typedef exports_local_network_host_handler_rpc_response_t response_t;
typedef gauntlet_string_t string_t;
typedef gauntlet_list_u8_t bytes_t;

// A method answers by `response` and true, or by `error` and false, or not at all.
typedef bool (*method_t)(const request_t *request, response_t *response, string_t *error);

typedef struct {
  const char *name;
  method_t answer;
} named_method_t;

// Each table ends with a null name.
extern const named_method_t FAULTS[];
extern const named_method_t REPLIES[];
extern const named_method_t STORE[];
extern const named_method_t SYSTEM[];
extern const named_method_t HTTP[];

// A string literal, or any text that lives long enough, as the contract's string. Nothing is copied.
string_t text(const char *characters);

// The payload is one or more fields, each but the last ended by a line feed. The last one takes all that is left.
bytes_t take_field(bytes_t *rest);

// A field's decimal digits; zero where it has none.
uint64_t number(bytes_t field);

// Fills a new block.
bytes_t filled(size_t length, uint8_t value);

bool reply(response_t *response, uint16_t status, bytes_t body);
bool reply_text(response_t *response, uint16_t status, string_t body);
bool reply_number(response_t *response, uint64_t value);
bool fail(string_t *error, string_t message);

// Opens the bucket named by the payload's first field and reads the key named by its second.
bool read_key(bytes_t *rest, gauntlet_option_list_u8_t *value, string_t *error);

// Prints the server's own table of routes, a line each, for isolation.test.mjs: "GET /api/tables".
#include <cstdio>

#include "api/app.h"

int main() {
  for (const sd::api::RouteEntry& route : sd::api::route_table())
    std::printf("%s %s\n", route.method, route.pattern);
  return 0;
}

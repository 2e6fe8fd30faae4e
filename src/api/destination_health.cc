#include "api/destination_health.h"

#include <algorithm>

#include "api/resource.h"

namespace sd::api {
namespace {

using Health = engine::EngineInfo::Health;

std::string_view status_of(Health health) {
  switch (health) {
    case Health::kReady:
      return "ready";
    case Health::kIdle:
      return "idle";
    case Health::kStarting:
      return "starting";
    case Health::kFailing:
      return "failing";
  }
  return "?";
}

std::string_view why_closed(const catalog::Destination& destination) {
  switch (destination.state) {
    case catalog::DestinationState::kDetached:
      return "its entry in the configuration is gone; what it holds is kept, and put back into the "
             "configuration it goes on";
    case catalog::DestinationState::kDeleting:
      return "it is being deleted";
    default:
      return "its journal could not be opened; the server's log says why";
  }
}

void write_counts(json::Writer& w, const std::optional<destinations::LoadState>& state) {
  if (!state) {
    w.null_member("rows").null_member("failed_rows");
    return;
  }
  w.member("rows", state->rows_loaded).member("failed_rows", state->rows_failed);
}

void write_closed(json::Writer& w, const catalog::Destination& destination) {
  w.member("status", "closed").member("detail", why_closed(destination)).null_member("since");
  w.null_member("lag_rows").null_member("lag_seconds");
  write_counts(w, std::nullopt);
  w.null_member("journal_bytes");
}

}  // namespace

void write_health(json::Writer& w, App& app, const catalog::Destination& destination,
                  const std::vector<engine::EngineInfo>& engines) {
  const std::shared_ptr<Tenant> tenant = app.tenants().find(destination.id);
  w.begin_object("health");
  if (!tenant || destination.state != catalog::DestinationState::kActive) {
    write_closed(w, destination);
    w.end_object();
    return;
  }
  const auto engine = std::ranges::find(engines, tenant->id(), &engine::EngineInfo::destination_id);
  const bool known = engine != engines.end();  // not so in its first moments
  // Known before anybody has asked for an engine.
  std::optional<Error> failure = tenant->cannot_start();
  const Health health = failure ? Health::kFailing : known ? engine->health : Health::kStarting;
  if (!failure && known) failure = engine->failure;
  w.member("status", status_of(health));
  if (failure)
    w.member("detail", failure->message);
  else
    w.null_member("detail");
  if (known && engine->health_since != 0)
    w.member("since", format_rfc3339(engine->health_since));
  else
    w.null_member("since");
  w.member("lag_rows", tenant->lag_rows());
  w.raw_member("lag_seconds", std::to_string(tenant->lag_seconds()));
  write_counts(w, tenant->known_state());
  w.member("journal_bytes", tenant->log().stats().bytes_on_disk);
  w.end_object();
}

}  // namespace sd::api

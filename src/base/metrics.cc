#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>

namespace sd::metrics {

struct Registry::Impl {
  // prometheus-cpp finds families and metrics under locks of its own; the maps keep the family
  // references, which its builder hands out only when one is registered.
  prometheus::Registry registry;
  std::mutex mutex;
  std::map<std::string, prometheus::Family<prometheus::Counter>*> counters;
  std::map<std::string, prometheus::Family<prometheus::Gauge>*> gauges;
  std::map<std::string, prometheus::Family<prometheus::Histogram>*> histograms;
};

void Counter::add(double value) {
  static_cast<prometheus::Counter*>(impl_)->Increment(value);
}
double Counter::value() const {
  return static_cast<prometheus::Counter*>(impl_)->Value();
}
void Gauge::set(double value) {
  static_cast<prometheus::Gauge*>(impl_)->Set(value);
}
void Gauge::add(double value) {
  static_cast<prometheus::Gauge*>(impl_)->Increment(value);
}
double Gauge::value() const {
  return static_cast<prometheus::Gauge*>(impl_)->Value();
}
void Histogram::observe(double value) {
  static_cast<prometheus::Histogram*>(impl_)->Observe(value);
}

std::vector<double> latency_buckets() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
          0.1,    0.25,    0.5,    1,     2.5,    5,     10,   30,    60};
}

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

Counter Registry::counter(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(impl_->mutex);
  auto*& family = impl_->counters[name];
  if (family == nullptr) {
    family = &prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry);
  }
  return Counter(&family->Add(labels));
}

Gauge Registry::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(impl_->mutex);
  auto*& family = impl_->gauges[name];
  if (family == nullptr) {
    family = &prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry);
  }
  return Gauge(&family->Add(labels));
}

Histogram Registry::histogram(const std::string& name, const std::string& help,
                              const Labels& labels, const std::vector<double>& buckets) {
  const std::lock_guard lock(impl_->mutex);
  auto*& family = impl_->histograms[name];
  if (family == nullptr) {
    family = &prometheus::BuildHistogram().Name(name).Help(help).Register(impl_->registry);
  }
  return Histogram(&family->Add(labels, buckets));
}

void Registry::remove_gauge(const std::string& name, const Labels& labels) {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->gauges.find(name);
  if (found != impl_->gauges.end()) found->second->Remove(&found->second->Add(labels));
}

std::string Registry::render() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace sd::metrics

// Counters, gauges and histograms in Prometheus' terms. Handles live as long as their Registry; using
// one is a few atomic operations, from any thread. Asking for the same name and labels again gives the
// same handle.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sd::metrics {

using Labels = std::map<std::string, std::string>;

class Counter {
 public:
  void add(double value = 1);
  double value() const;

 private:
  friend class Registry;
  explicit Counter(void* impl) : impl_(impl) {}
  void* impl_;
};

class Gauge {
 public:
  void set(double value);
  void add(double value);
  double value() const;

 private:
  friend class Registry;
  explicit Gauge(void* impl) : impl_(impl) {}
  void* impl_;
};

class Histogram {
 public:
  void observe(double value);

 private:
  friend class Registry;
  explicit Histogram(void* impl) : impl_(impl) {}
  void* impl_;
};

// Upper bounds in seconds, from 0.1 ms to 60 s.
std::vector<double> latency_buckets();

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram histogram(const std::string& name, const std::string& help, const Labels& labels = {},
                      const std::vector<double>& buckets = latency_buckets());
  // Forgets one labelled gauge (a destination that was deleted).
  void remove_gauge(const std::string& name, const Labels& labels);
  // Prometheus' text format 0.0.4.
  std::string render() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sd::metrics

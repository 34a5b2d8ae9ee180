#pragma once
// For tests: an Exchange that answers from a list and remembers what it was asked.

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "http/exchange.h"

namespace imgproc::http {

/// Answers in order; when the list is used up, with the error NO_ANSWER (permanent). Thread-safe.
class FakeExchange final : public Exchange {
 public:
  using Answer = std::function<base::Result<Response>(const Request&)>;

  struct Sent {
    std::string method;
    std::string target;
    Headers headers;
    std::string body;
  };

  void then(Answer answer) {
    std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  void then(int status, Headers headers = {}, std::string body = {}) {
    then([=](const Request&) -> base::Result<Response> {
      Response response;
      response.status = status;
      response.headers = headers;
      response.body = body;
      return response;
    });
  }
  void then_fail(base::Error error) {
    then([error](const Request&) -> base::Result<Response> { return std::unexpected(error); });
  }

  [[nodiscard]] base::Result<Response> send(Request request) override {
    Answer answer;
    {
      std::lock_guard lock(mutex_);
      auto body = read_all(request.body, std::size_t{1} << 30);
      sent_.push_back({request.method, request.target, request.headers, body.value_or("")});
      if (answers_.empty()) return base::permanent("NO_ANSWER", "the fake has no answer left");
      answer = std::move(answers_.front());
      answers_.pop_front();
    }
    return answer(request);
  }

  /// Borrowed; to be read while nobody sends.
  [[nodiscard]] const std::vector<Sent>& sent() const { return sent_; }

 private:
  std::mutex mutex_;
  std::deque<Answer> answers_;
  std::vector<Sent> sent_;
};

/// Hands on to an Exchange that somebody else owns.
class BorrowedExchange final : public Exchange {
 public:
  explicit BorrowedExchange(Exchange& inner) : inner_(inner) {}
  [[nodiscard]] base::Result<Response> send(Request request) override {
    return inner_.send(std::move(request));
  }

 private:
  Exchange& inner_;
};

/// A body that gives `text` and then fails, as a connection that breaks.
class BrokenBody final : public BodyReader {
 public:
  BrokenBody(std::string text, base::Error error)
      : text_(std::move(text)), error_(std::move(error)) {}
  [[nodiscard]] base::Result<std::size_t> read(std::span<char> into) override {
    if (text_.empty()) return std::unexpected(error_);
    std::size_t count = std::min(into.size(), text_.size());
    text_.copy(into.data(), count);
    text_.erase(0, count);
    return count;
  }

 private:
  std::string text_;
  base::Error error_;
};

}  // namespace imgproc::http

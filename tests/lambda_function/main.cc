// A function for tests: does what the word in its payload says. Speaks the Runtime API.

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "http/client.h"

extern char** environ;

namespace {

using imgproc::http::Client;
using imgproc::http::Request;

std::string environment_text() {
  std::string text;
  for (char** variable = environ; *variable != nullptr; ++variable)
    text += std::string(*variable) + "\n";
  return text;
}

[[noreturn]] void hang() {
  std::puts("hanging");
  std::fflush(stdout);
  for (;;) ::pause();
}

void fill_memory() {
  std::vector<char*> blocks;
  for (;;) {
    constexpr std::size_t kBlockBytes = 8 << 20;
    auto* block = static_cast<char*>(std::malloc(kBlockBytes));
    if (block == nullptr) hang();
    std::memset(block, 1, kBlockBytes);
    blocks.push_back(block);
  }
}

int answer(Client& client, const std::string& id, std::string path, std::string body) {
  Request request{"POST", "/2018-06-01/runtime/invocation/" + id + "/" + path, {}, std::move(body)};
  if (path == "error") request.headers.set("Lambda-Runtime-Function-Error-Type", "Test.Error");
  auto response = client.send(std::move(request));
  return response && response->status == 202 ? 0 : 1;
}

}  // namespace

int main() {
  const char* api = std::getenv("AWS_LAMBDA_RUNTIME_API");
  if (api == nullptr) return 2;
  imgproc::http::ClientOptions options;
  options.idle_timeout = std::chrono::milliseconds(0);
  Client client(imgproc::http::Origin::parse(std::string("http://") + api).value(), options);

  // What happens before the function is ready.
  std::string init = std::getenv("TEST_INIT") == nullptr ? "" : std::getenv("TEST_INIT");
  if (init == "exit") return 3;
  if (init == "exit-once") {
    std::string mark = std::string(std::getenv("TMPDIR")) + "/was-here";
    if (::access(mark.c_str(), F_OK) != 0) {
      std::fclose(std::fopen(mark.c_str(), "w"));
      return 3;
    }
  }
  if (init == "hang") hang();
  if (init == "error") {
    Request request{"POST",
                    "/2018-06-01/runtime/init/error",
                    {},
                    R"({"errorType":"Test.Init","errorMessage":"no"})"};
    request.headers.set("Lambda-Runtime-Function-Error-Type", "Test.Init");
    (void)client.send(std::move(request));
    return 1;
  }

  for (int count = 0;; ++count) {
    auto event = client.send({"GET", "/2018-06-01/runtime/invocation/next", {}, {}});
    if (!event || event->status != 200) return 4;
    std::string id(event->headers.get("Lambda-Runtime-Aws-Request-Id").value_or(""));
    std::string word = imgproc::http::read_all(event->body, 8 << 20).value_or("");
    std::string body = word;
    std::string path = "response";
    if (word == "\"exit\"") return 7;
    if (word == "\"exit0\"") return 0;
    if (word == "\"abort\"") ::abort();
    if (word == "\"hang\"") hang();
    if (word == "\"fork-hang\"") {
      if (int child = ::fork(); child != 0) {
        std::printf("child %d\n", child);
        hang();
      }
      for (;;) ::pause();
    }
    if (word == "\"memory\"") fill_memory();
    if (word == "\"error\"") {
      path = "error";
      body = R"({"errorType":"Test.Error","errorMessage":"as asked"})";
    }
    if (word == "\"print\"") {
      std::puts("to standard output");
      std::fflush(stdout);
      std::fputs("to standard error\nwithout newline", stderr);
    }
    if (word == "\"environment\"") body = environment_text();
    if (word == "\"count\"") body = std::to_string(count);
    if (word == "\"pid\"") body = std::to_string(::getpid());
    if (word == "\"directory\"") {
      char buffer[4096];
      body = ::getcwd(buffer, sizeof buffer) == nullptr ? "" : buffer;
    }
    if (word == "\"last\"") {
      // Answers and then ends without asking for more.
      (void)answer(client, id, path, body);
      return 0;
    }
    if (answer(client, id, path, std::move(body)) != 0) return 5;
  }
}

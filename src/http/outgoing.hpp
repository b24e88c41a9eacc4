#pragma once

#include "http/message.hpp"
#include "http/transport.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot::http {

// An answer on its way out. Nothing of a body is copied: memory ranges are sent from where they are and files by
// sendfile.
class Outgoing {
public:
    // Sends what goes at once of the head and of at most `budget` bytes of the body, and keeps the rest. The response
    // is left alone when everything went. Ready and not finished(): the budget is used up.
    Io begin(Transport& transport, std::string_view head, Response&& response, bool with_body, std::uint64_t budget);
    Io go_on(Transport& transport, std::uint64_t budget);

    bool finished() const noexcept { return head_.empty() && left_ == 0 && flushed_; }
    // Bytes of the body not sent yet.
    std::uint64_t left() const noexcept { return left_; }
    // All bytes the transport has taken, over all answers.
    std::uint64_t sent() const noexcept { return sent_; }
    // Lets go of what a finished answer held.
    void release() noexcept;

private:
    Io push(Transport& transport, std::string_view& head, const Response& response, std::uint64_t budget);
    Io push_memory(Transport& transport, std::string_view& head, std::string_view body, std::uint64_t budget);
    Io push_file(Transport& transport, std::string_view& head, const FileRange& file, std::uint64_t budget);
    void took(std::string_view& head, std::uint64_t bytes) noexcept;

    Response response_;
    std::string head_;          // what is left of it
    std::uint64_t offset_ = 0;  // into the body
    std::uint64_t left_ = 0;
    std::uint64_t sent_ = 0;
    bool flushed_ = true;
    bool holds_response_ = false;
};

}  // namespace entrepot::http

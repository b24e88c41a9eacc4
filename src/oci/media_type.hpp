#pragma once

#include "core/error.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// A media type without parameters, "type/subtype", each a token of RFC 9110 section 5.6.2, 255 bytes at most (RFC 6838
// section 4.2 allows two names of 127). It is sent back in headers: one that parses can carry nothing else along.
class MediaType {
public:
    static Result<MediaType> parse(std::string_view text);  // manifest_invalid
    // The same of a Content-Type's value, whose parameters are dropped.
    static Result<MediaType> of_content_type(std::string_view value);

    const std::string& text() const noexcept { return text_; }

private:
    explicit MediaType(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

}  // namespace entrepot

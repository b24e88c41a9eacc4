#pragma once

#include "ports/metadata_copy.hpp"

#include <span>
#include <string>

namespace entrepot {

// Rows in the binary format of COPY (PostgreSQL's documentation of COPY, "Binary Format").
class CopyText {
public:
    CopyText();
    void begin_row(std::size_t fields);
    void add(const StoredValue& value);
    // All of it, with its trailer; nothing may be added any more.
    std::string take();

private:
    void put(std::uint64_t number, unsigned bytes);

    std::string text_;
};

}  // namespace entrepot

#pragma once

#include "core/ascii.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// For tests: a record of the vectors in docs/formats.
struct TestVector {
    std::string kind;
    std::string name;
    std::string bytes;
};

// A record is a line "KIND NAME" and hexadecimal digits up to the next empty line; what follows a # is for people.
inline std::vector<TestVector> read_vectors(std::string_view file_name)
{
    std::ifstream file{std::filesystem::path{__FILE__}.parent_path() / "../../docs/formats" / file_name};
    std::vector<TestVector> vectors;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        const std::string text{trimmed(std::string_view{line}.substr(0, line.find('#')))};
        if (line.empty()) {
            inside = false;
        } else if (!inside && !text.empty()) {
            const auto blank = text.find(' ');
            vectors.push_back({text.substr(0, blank), text.substr(blank + 1), {}});
            inside = true;
        } else {
            for (std::size_t at = 0; at + 1 < text.size(); at += 2)
                vectors.back().bytes.push_back(static_cast<char>(hex_value(text[at]) << 4 | hex_value(text[at + 1])));
        }
    }
    return vectors;
}

}  // namespace entrepot

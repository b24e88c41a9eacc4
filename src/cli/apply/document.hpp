#pragma once

#include "core/error.hpp"

#include <boost/json/object.hpp>

#include <compare>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What a field of a document is made of. A set's order means nothing; of a map only what is named counts.
enum class ApplyType { text, boolean, integer, size, set, map, list };

struct ApplyField {
    std::string_view name;
    ApplyType type = ApplyType::text;
    std::string_view text{};
    bool required = false;
    bool only_at_creation = false;  // not compared, not exported
};

// What documents of a kind look like: metadata say which object it is, spec how it is to be.
struct ApplyShape {
    std::string_view kind;
    std::string_view text;
    std::vector<ApplyField> metadata;
    std::vector<ApplyField> spec;
};

// One object, as a file wants it or as the server has it. Sets are sorted.
struct ApplyDocument {
    std::string_view kind;
    boost::json::object metadata;
    boost::json::object spec;
    boost::json::object found{};  // of the server's: what the API shows of it
    std::string place{};          // of a file's: "tenants.yaml:12"

    // Its metadata in one line; no two objects of a kind have the same.
    std::string key() const;
};

// The documents of one YAML file, checked against the shapes; each problem is a line "FILE:LINE: what". bad_request.
Result<std::vector<ApplyDocument>>
parse_documents(const std::string& text, const std::string& file, std::span<const ApplyShape> shapes);
// bad_request when an object is in them twice.
Result<> check_unique(std::span<const ApplyDocument> documents);

// "kind: …\nmetadata: …\nspec: …\n"
std::string document_text(const ApplyDocument& document);

}  // namespace entrepot

#pragma once

#include "core/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Which repositories, or which tags, a rule of a project is about: Harbor's selectors. A name is chosen when every
// selector agrees: one that matches the name, or one that excludes what it matches. Names of repositories are those
// below the project.
struct Selector {
    bool excludes = false;
    std::string pattern;  // doublestar, access/glob.hpp

    bool operator==(const Selector&) const = default;
};

class Selectors {
public:
    static constexpr std::size_t most = 8;

    // bad_request: none, too many, or a pattern that is none.
    static Result<Selectors> of_repositories(std::vector<Selector> selectors);
    static Result<Selectors> of_tags(std::vector<Selector> selectors);
    // What text() wrote.
    static Result<Selectors> parse(std::string_view text);

    bool choose(std::string_view name) const noexcept;
    // Whether nothing escapes them.
    bool choose_all() const noexcept;

    const std::vector<Selector>& all() const noexcept { return selectors_; }
    // One a line, as it is stored: "matches v*".
    std::string text() const;
    bool operator==(const Selectors&) const = default;

private:
    explicit Selectors(std::vector<Selector> selectors) : selectors_{std::move(selectors)} {}
    std::vector<Selector> selectors_;
};

}  // namespace entrepot

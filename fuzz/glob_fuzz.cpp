// Patterns of rules: a pattern that is accepted matches in bounded time, a selector's text reads back as it was, and a
// name that a pattern without special characters is matches it.
#include "access/glob.hpp"
#include "access/selectors.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entrepot;
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    const auto end = input.find('\n');
    const auto pattern = input.substr(0, end);
    const auto text = end == std::string_view::npos ? std::string_view{} : input.substr(end + 1, 512);
    const bool matched = glob_matches(pattern, text);
    const bool plain = pattern.find_first_of("*?{},[]^!") == std::string_view::npos;
    if (plain && matched && pattern != text) std::abort();
    const auto tags = Selectors::of_tags({{false, std::string{pattern}}, {true, "x*"}});
    if (!tags) return 0;
    if (pattern.find('/') != std::string_view::npos) std::abort();
    if (const auto again = Selectors::parse(tags->text()); !again || *again != *tags) std::abort();
    if (tags->choose(text) && (!matched || text.starts_with('x'))) {
        // A star stays within a segment: only a text with '/' may begin with x and not be excluded.
        if (!matched || text.find('/') == std::string_view::npos) std::abort();
    }
    return 0;
}

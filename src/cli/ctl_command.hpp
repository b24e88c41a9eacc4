#pragma once

#include "core/error.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

class CtlRun;

// How the text of an option becomes a value of a request.
enum class CtlValue { text, integer, size, boolean, moment, days };

// `--name VALUE`, or a flag when `value` is empty. With a `field` it goes into the request's body under that name; dots
// make objects within objects.
struct CtlOption {
    std::string_view name{};
    std::string_view value{};
    std::string_view text{};
    std::string_view field{};
    CtlValue kind = CtlValue::text;
    std::vector<std::string_view> choices{};
    bool required = false;
    bool repeated = false;  // a list in the body
};

struct CtlArgument {
    std::string_view name{};
    std::string_view text{};
    std::string_view field{};
    bool optional = false;
    bool repeated = false;  // only the last one
};

// What a command is like beyond its own options: each brings the options that go with it.
struct CtlTraits {
    bool lists = false;     // --limit, --query, --sort
    bool shows = false;     // -o, --quiet
    bool destroys = false;  // --yes
    bool remote = true;     // --context, --ca-file, --insecure
    bool hidden = false;    // neither in help nor in the reference
};

// One command. Parsing, help, completion and the reference are all made of the table of these.
struct CtlCommand {
    std::string_view path{};  // "tenant member add"
    std::string_view text{};
    std::vector<CtlArgument> arguments{};
    std::vector<CtlOption> options{};
    CtlTraits traits{};
    std::function<Result<int>(CtlRun&)> run{};  // gives the exit code; an error becomes one by ctl_exit_code()
    std::string_view more{};                    // further paragraphs of its help
    std::string_view example{};
};

// All of them in the order of the reference; made once.
std::span<const CtlCommand> ctl_commands();
// The first words of paths that have more than one, with what they are about: "tenant member" → "…".
struct CtlGroup {
    std::string_view path;
    std::string_view text;
};
std::span<const CtlGroup> ctl_groups();

// A command's own options and those that its traits bring.
std::vector<CtlOption> all_options(const CtlCommand& command);

// Exit codes of `entrepot ctl`, for scripts.
namespace ctl_exit {
inline constexpr int success = 0;
inline constexpr int failure = 1;
inline constexpr int usage = 2;
inline constexpr int not_found = 3;
inline constexpr int denied = 4;
inline constexpr int not_logged_in = 5;
inline constexpr int conflict = 6;
inline constexpr int unreachable = 7;
inline constexpr int changes_pending = 10;  // apply --dry-run
}  // namespace ctl_exit

struct CtlExit {
    int code;
    std::string_view text;
};
std::span<const CtlExit> ctl_exits();
int ctl_exit_code(Errc code) noexcept;

}  // namespace entrepot

#include "cli/ctl_line.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace entrepot {
namespace {

// The command whose path the first words are, and how many they are. The longest path counts.
struct Found {
    const CtlCommand* command = nullptr;
    std::size_t words = 0;
};

std::string joined(std::span<const std::string> words)
{
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
    return out;
}

Found find_command(std::span<const std::string> words)
{
    Found found;
    const auto end = std::find_if(words.begin(), words.end(), [](const auto& word) { return word.starts_with('-'); });
    const auto names = words.first(static_cast<std::size_t>(end - words.begin()));
    for (std::size_t count = std::min<std::size_t>(3, names.size()); count > 0; --count) {
        const auto path = joined(names.first(count));
        for (const auto& command : ctl_commands()) {
            if (command.path == path) return {&command, count};
        }
    }
    return found;
}

bool asks_for_help(std::span<const std::string> words)
{
    const auto end = std::find(words.begin(), words.end(), "--");
    return std::any_of(words.begin(), end, [](const auto& word) { return word == "--help" || word == "-h"; });
}

// What of the words is a group or nothing at all.
Result<CtlLine> without_command(std::span<const std::string> words, bool help)
{
    std::vector<std::string> names;
    for (const auto& word : words) {
        if (word.starts_with('-')) break;
        names.push_back(word);
    }
    const auto topic = joined(names);
    const auto groups = ctl_groups();
    const bool known = topic.empty() || std::any_of(groups.begin(), groups.end(), [&topic](const auto& group) {
                           return group.path == topic;
                       });
    if (known && help) return CtlLine{.command = nullptr, .topic = topic, .values = {}};
    if (!known)
        return fail(Errc::bad_request, fmt::format("there is no command \"{}\"; see: entrepot ctl --help", topic));
    return fail(
        Errc::bad_request,
        fmt::format("a command is missing; see: entrepot ctl {}--help", topic.empty() ? topic : topic + " ")
    );
}

class Parser {
public:
    Parser(const CtlCommand& command, std::span<const std::string> words)
        : command_{command}, options_{all_options(command)}, words_{words}
    {
        line_.command = &command;
    }

    Result<CtlLine> parse()
    {
        for (; next_ < words_.size(); ++next_) {
            const auto& word = words_[next_];
            if (only_arguments_ || word == "-" || !word.starts_with('-')) {
                CHECK(argument(word));
            } else if (word == "--") {
                only_arguments_ = true;
            } else {
                CHECK(option(word));
            }
        }
        CHECK(complete());
        return std::move(line_);
    }

private:
    std::unexpected<Error> wrong(const std::string& what) const
    {
        return fail(Errc::bad_request, fmt::format("{}; see: entrepot ctl {} --help", what, command_.path));
    }

    Result<> argument(const std::string& word)
    {
        if (place_ == command_.arguments.size()) return wrong(fmt::format("\"{}\" is one argument too many", word));
        const auto& argument = command_.arguments[place_];
        // A shell that asks for completions passes on the word that is not begun yet.
        if (word.empty() && !argument.repeated) return wrong(fmt::format("{} is empty", argument.name));
        line_.values[std::string{argument.name}].push_back(word);
        if (!argument.repeated) ++place_;
        return {};
    }

    const CtlOption* find(std::string_view name) const
    {
        if (name == "o") name = "output";
        if (name == "q") name = "quiet";
        if (name == "y") name = "yes";
        if (name == "f") name = "file";
        for (const auto& option : options_) {
            if (option.name == name) return &option;
        }
        return nullptr;
    }

    Result<> option(const std::string& word)
    {
        const bool is_long = word.starts_with("--");
        const auto equal = is_long ? word.find('=') : word.npos;
        const auto name = word.substr(is_long ? 2 : 1, equal == word.npos ? word.npos : equal - 2);
        const auto* option = is_long == (name.size() > 1) ? find(name) : nullptr;
        if (option == nullptr) return wrong(fmt::format("there is no option {}", word.substr(0, equal)));
        std::string value = "true";
        if (equal != word.npos) {
            if (option->value.empty()) return wrong(fmt::format("--{} takes no value", name));
            value = word.substr(equal + 1);
        } else if (!option->value.empty()) {
            if (++next_ == words_.size()) return wrong(fmt::format("--{} lacks its {}", option->name, option->value));
            value = words_[next_];
        }
        const auto& choices = option->choices;
        if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end())
            return wrong(fmt::format("--{} is one of {}", option->name, fmt::join(choices, ", ")));
        auto& values = line_.values[std::string{option->name}];
        if (!values.empty() && !option->repeated) return wrong(fmt::format("--{} is there twice", option->name));
        values.push_back(std::move(value));
        return {};
    }

    Result<> complete() const
    {
        for (const auto& argument : command_.arguments) {
            if (!argument.optional && !line_.has(argument.name))
                return wrong(fmt::format("{} is missing", argument.name));
        }
        for (const auto& option : options_) {
            if (option.required && !line_.has(option.name)) return wrong(fmt::format("--{} is missing", option.name));
        }
        return {};
    }

    const CtlCommand& command_;
    std::vector<CtlOption> options_;
    std::span<const std::string> words_;
    std::size_t next_ = 0;
    std::size_t place_ = 0;
    bool only_arguments_ = false;
    CtlLine line_;
};

}  // namespace

std::string_view CtlLine::value(std::string_view name) const
{
    const auto found = values.find(name);
    return found == values.end() || found->second.empty() ? std::string_view{} : found->second.back();
}

std::span<const std::string> CtlLine::all(std::string_view name) const
{
    const auto found = values.find(name);
    return found == values.end() ? std::span<const std::string>{} : std::span{found->second};
}

Result<CtlLine> parse_ctl_line(std::span<const std::string> words)
{
    const bool help = asks_for_help(words);
    const auto found = find_command(words);
    if (found.command == nullptr) return without_command(words, help);
    if (help) return CtlLine{.command = nullptr, .topic = std::string{found.command->path}, .values = {}};
    return Parser{*found.command, words.subspan(found.words)}.parse();
}

}  // namespace entrepot

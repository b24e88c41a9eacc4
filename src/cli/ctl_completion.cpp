#include "cli/ctl_completion.hpp"

#include "cli/ctl_command.hpp"
#include "cli/ctl_config.hpp"

#include <algorithm>
#include <set>

namespace entrepot {
namespace {

constexpr std::string_view bash_script =
    R"(# bash completion of entrepot; source it, or put it into /etc/bash_completion.d
_entrepot()
{
    local word=${COMP_WORDS[COMP_CWORD]} candidates
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "serve check-config version ctl" -- "$word")
        return
    fi
    if [[ ${COMP_WORDS[1]} != ctl ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    mapfile -t candidates < <("${COMP_WORDS[0]}" ctl complete -- "${COMP_WORDS[@]:2:COMP_CWORD-1}" 2>/dev/null)
    if [[ ${candidates[0]-} == "<file>" ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    COMPREPLY=("${candidates[@]}")
}
complete -o filenames -o bashdefault -F _entrepot entrepot
)";

constexpr std::string_view zsh_script = R"(#compdef entrepot
# zsh completion of entrepot; put it as _entrepot into a directory of $fpath, or source it
_entrepot()
{
    local -a candidates
    if ((CURRENT == 2)); then
        compadd serve check-config version ctl
        return
    fi
    if [[ ${words[2]} != ctl ]]; then
        _files
        return
    fi
    candidates=("${(@f)$("${words[1]}" ctl complete -- "${(@)words[3,CURRENT]}" 2>/dev/null)}")
    if [[ ${candidates[1]-} == "<file>" ]]; then
        _files
        return
    fi
    (( ${#candidates} )) && compadd -- "${(@)candidates:#}"
}
if [[ ${funcstack[1]-} == _entrepot ]]; then
    _entrepot "$@"
else
    compdef _entrepot entrepot
fi
)";

constexpr std::string_view fish_script =
    R"(# fish completion of entrepot; put it into ~/.config/fish/completions/entrepot.fish, or source it
function __entrepot_candidates
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    if test (count $words) -eq 1
        printf '%s\n' serve check-config version ctl
        return
    end
    if test "$words[2]" != ctl
        __fish_complete_path "$word"
        return
    end
    set -l candidates ($words[1] ctl complete -- $words[3..-1] "$word" 2>/dev/null)
    if test "$candidates[1]" = '<file>'
        __fish_complete_path "$word"
        return
    end
    printf '%s\n' $candidates
end
complete -c entrepot -f -a '(__entrepot_candidates)'
)";

std::vector<std::string> begun(std::set<std::string> all, std::string_view word)
{
    std::vector<std::string> out;
    for (const auto& each : all) {
        if (each.starts_with(word)) out.push_back(each);
    }
    return out;
}

std::string joined(std::span<const std::string> words)
{
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
    return out;
}

const CtlCommand* command_of(std::span<const std::string> words)
{
    for (std::size_t count = std::min<std::size_t>(3, words.size()); count > 0; --count) {
        const auto path = joined(words.first(count));
        for (const auto& command : ctl_commands()) {
            if (command.path == path) return &command;
        }
    }
    return nullptr;
}

// The next words of the commands that begin with these.
std::set<std::string> next_words(std::span<const std::string> words)
{
    auto begin = joined(words);
    if (!begin.empty()) begin += ' ';
    std::set<std::string> out;
    for (const auto& command : ctl_commands()) {
        if (command.traits.hidden || !command.path.starts_with(begin)) continue;
        const auto rest = command.path.substr(begin.size());
        out.emplace(rest.substr(0, rest.find(' ')));
    }
    return out;
}

std::set<std::string> context_names(const CtlIo& io)
{
    std::set<std::string> names;
    if (const auto config = load_ctl_config(io)) {
        for (const auto& [name, context] : config->contexts) names.insert(name);
    }
    return names;
}

std::vector<std::string> values_of(const CtlIo& io, const CtlOption& option, std::string_view word)
{
    if (option.value.contains("FILE") || option.value.contains("DIR")) return {"<file>"};
    if (option.name == "context") return begun(context_names(io), word);
    return begun({option.choices.begin(), option.choices.end()}, word);
}

}  // namespace

std::vector<std::string> ctl_candidates(const CtlIo& io, std::span<const std::string> words)
{
    if (words.empty()) return begun(next_words(words), "");
    const auto before = words.first(words.size() - 1);
    const auto& word = words.back();
    const auto* command = command_of(before);
    if (command == nullptr) return begun(next_words(before), word);
    const auto options = all_options(*command);
    const auto& last = before.back();
    for (const auto& option : options) {
        const bool is_short = (last == "-o" && option.name == "output") || (last == "-f" && option.name == "file");
        if (!option.value.empty() && (is_short || last == "--" + std::string{option.name}))
            return values_of(io, option, word);
    }
    if (command->path == "context use") return begun(context_names(io), word);
    std::set<std::string> names{"--help"};
    for (const auto& option : options) names.insert("--" + std::string{option.name});
    // A group may have further commands below a command of the same words.
    if (!word.starts_with('-')) return begun(next_words(before), word);
    return begun(names, word);
}

std::string_view ctl_completion_script(std::string_view shell) noexcept
{
    if (shell == "bash") return bash_script;
    if (shell == "zsh") return zsh_script;
    return shell == "fish" ? fish_script : std::string_view{};
}

}  // namespace entrepot

#include "cli/apply/apply.hpp"
#include "cli/ctl_completion.hpp"
#include "cli/ctl_help.hpp"
#include "cli/ctl_run.hpp"
#include "cli/ctl_tables.hpp"

#include <string>

namespace entrepot {
namespace {

constexpr CtlTraits on_its_own{.remote = false};

CtlCommand completion(
    std::string_view path,
    std::string_view text,
    std::string_view shell,
    std::string_view example,
    std::string_view more = {}
)
{
    return {
        .path = path,
        .text = text,
        .traits = on_its_own,
        .run = [shell](CtlRun& run) -> Result<int> {
            run.io().out(ctl_completion_script(shell));
            return ctl_exit::success;
        },
        .more = more,
        .example = example,
    };
}

Result<int> complete(CtlRun& run)
{
    for (const auto& candidate : ctl_candidates(run.io(), run.line().all("words"))) run.io().out(candidate + "\n");
    return ctl_exit::success;
}

Result<int> docs(CtlRun& run)
{
    run.io().out(run.has("kinds") ? apply_reference() : ctl_reference());
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> own_commands()
{
    return {
        completion(
            "completion bash",
            "prints the completion script for bash",
            "bash",
            "entrepot ctl completion bash > /etc/bash_completion.d/entrepot"
        ),
        completion(
            "completion zsh",
            "prints the completion script for zsh",
            "zsh",
            "entrepot ctl completion zsh > /usr/local/share/zsh/site-functions/_entrepot"
        ),
        completion(
            "completion fish",
            "prints the completion script for fish",
            "fish",
            "entrepot ctl completion fish > "
            "~/.config/fish/completions/entrepot.fish",
            "The directory may have to be made first: mkdir -p ~/.config/fish/completions."
        ),
        {.path = "docs",
         .text = "prints this reference as Markdown",
         .options = {{.name = "kinds", .text = "the documents of `apply` instead"}},
         .traits = on_its_own,
         .run = docs},
        {.path = "complete",
         .text = "prints what may come next, for the completion scripts",
         .arguments = {{.name = "words", .text = "the line so far", .optional = true, .repeated = true}},
         .traits = {.remote = false, .hidden = true},
         .run = complete},
    };
}

}  // namespace entrepot

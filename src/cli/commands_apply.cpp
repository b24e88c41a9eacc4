#include "cli/apply/apply.hpp"
#include "cli/ctl_run.hpp"
#include "cli/ctl_tables.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

namespace entrepot {
namespace {

// The YAML files that the option names: one, or those of a directory by name; "-" is standard input.
Result<std::vector<std::string>> files_of(std::span<const std::string> names)
{
    std::vector<std::string> files;
    for (const auto& name : names) {
        std::error_code error;
        if (!std::filesystem::is_directory(name, error)) {
            files.push_back(name);
            continue;
        }
        std::vector<std::string> inside;
        for (const auto& entry : std::filesystem::directory_iterator{name, error}) {
            const auto extension = entry.path().extension();
            if (entry.is_regular_file(error) && (extension == ".yaml" || extension == ".yml"))
                inside.push_back(entry.path());
        }
        if (inside.empty()) return fail(Errc::bad_request, fmt::format("{} has no .yaml files", name));
        std::sort(inside.begin(), inside.end());
        std::move(inside.begin(), inside.end(), std::back_inserter(files));
    }
    return files;
}

Result<std::vector<ApplyDocument>> read_documents(CtlRun& run)
{
    TRY(const auto files, files_of(run.line().all("file")));
    std::vector<ApplyDocument> documents;
    for (const auto& file : files) {
        auto text = file == "-" ? run.io().read_input() : run.io().read_file(file);
        if (!text) return fail(Errc::bad_request, text.error().message());
        TRY(auto some, parse_documents(*text, file == "-" ? "(standard input)" : file, apply_shapes()));
        std::move(some.begin(), some.end(), std::back_inserter(documents));
    }
    return documents;
}

// Secrets of new robots are shown once: here, or in a file that its owner alone can read.
Result<> hand_over_secrets(CtlRun& run, const ApplyServer& server)
{
    if (server.secrets().empty()) return {};
    boost::json::object all;
    for (const auto& [name, secret] : server.secrets()) all[name] = secret;
    if (run.has("secrets")) return run.io().write_private(std::string{run.value("secrets")}, pretty_json(all));
    run.io().out("secrets, shown this once:\n");
    for (const auto& [name, secret] : server.secrets()) run.io().out(fmt::format("{}  {}\n", name, secret));
    return {};
}

Result<int> apply(CtlRun& run)
{
    TRY(auto documents, read_documents(run));
    TRY(auto* const api, run.api());
    ApplyServer server{run.io(), *api};
    TRY(const auto plan, plan_apply(server, std::move(documents), run.has("prune")));
    run.io().out(plan_text(plan));
    if (run.has("dry-run")) return plan.changes_nothing() ? ctl_exit::success : ctl_exit::changes_pending;
    if (plan.changes_nothing()) return ctl_exit::success;
    CHECK(run.confirm("Apply this"));
    auto done = carry_out(server, plan, [&run](const ApplyStep& step) {
        static const std::map<ApplyStep::What, std::string_view> words{
            {ApplyStep::What::create, "created"},
            {ApplyStep::What::change, "changed"},
            {ApplyStep::What::remove, "deleted"},
        };
        const auto word = words.find(step.what);
        if (word != words.end())
            run.io().out(fmt::format("{} {}: {}\n", step.wanted.kind, step.wanted.key(), word->second));
    });
    // Also when a later step failed: nobody can ask for them again.
    CHECK(hand_over_secrets(run, server));
    if (!done) return std::unexpected{std::move(done).error()};
    return ctl_exit::success;
}

Result<int> export_all(CtlRun& run)
{
    TRY(auto* const api, run.api());
    ApplyServer server{run.io(), *api};
    TRY(const auto documents, export_documents(server, std::string{run.value("tenant")}));
    std::map<std::string, std::string> files;
    for (const auto& document : documents) {
        std::string name;
        if (run.has("directory")) {
            TRY(name, export_file(server, document));
        }
        auto& text = files[name];
        text += (text.empty() ? "" : "---\n") + document_text(document);
    }
    for (const auto& [name, text] : files) {
        if (!run.has("directory")) {
            run.io().out(text);
            continue;
        }
        const auto path = std::filesystem::path{run.value("directory")} / name;
        CHECK(run.io().write_private(path, text));
        run.io().out(fmt::format("{}\n", path.string()));
    }
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> apply_commands()
{
    return {
        {.path = "apply",
         .text = "makes the server as files say, after showing what it would do",
         .options =
             {{.name = "file",
               .value = "FILE|DIR",
               .text = "YAML documents, or a directory of them; - is standard input; several times",
               .required = true,
               .repeated = true},
              {.name = "dry-run", .text = "only show it; the exit code says whether anything is to do"},
              {.name = "prune", .text = "also delete what the files' kinds and tenants have and the files have not"},
              {.name = "secrets",
               .value = "FILE",
               .text = "where the secrets of new robots go; without it, they are printed"}},
         .traits = {.destroys = true},
         .run = apply,
         .more =
             "The documents are explained in docs/apply.md. Run again after a failure, it goes on where it stopped.",
         .example = "entrepot ctl apply -f tenants/ --dry-run"},
        {.path = "export",
         .text = "prints the server's state as documents that `apply` takes; no secrets are among them",
         .options =
             {{.name = "tenant", .value = "NAME", .text = "only this tenant and what belongs to it"},
              {.name = "directory",
               .value = "DIR",
               .text = "a file a tenant into this directory, not to standard output"}},
         .run = export_all,
         .more = "An export is no backup: it has no images, no secrets, passwords and tokens, no settings and no audit "
                 "trail.",
         .example = "entrepot ctl export --tenant acme > acme.yaml"},
    };
}

}  // namespace entrepot

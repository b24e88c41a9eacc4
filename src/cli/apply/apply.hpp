#pragma once

#include "cli/apply/apply_server.hpp"
#include "cli/apply/plan.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace entrepot {

// What the files name, which is all that apply looks at; with `prune` also what else there is of their kinds in their
// tenants and projects.
ApplyScope scope_of(std::span<const ApplyDocument> wanted, bool prune);

// Compares the documents with the server.
Result<ApplyPlan> plan_apply(ApplyServer& server, std::vector<ApplyDocument> wanted, bool prune);

// Carries a plan out and tells each step that is done. It stops at the first that fails: what is done stays done, and
// running it again goes on from there.
Result<> carry_out(ApplyServer& server, const ApplyPlan& plan, const std::function<void(const ApplyStep&)>& done);

// All documents of the server, or of one tenant; secrets are not among them.
Result<std::vector<ApplyDocument>> export_documents(ApplyServer& server, const std::string& tenant);
// The file that a document goes into: "platform.yaml", or one of its tenant.
Result<std::string> export_file(ApplyServer& server, const ApplyDocument& document);

// The kinds and their fields as Markdown, for docs/apply.md.
std::string apply_reference();

}  // namespace entrepot

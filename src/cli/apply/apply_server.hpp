#pragma once

#include "cli/apply/document.hpp"
#include "cli/ctl_api.hpp"
#include "cli/ctl_io.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Which part of the server's state counts. Names of people, roles, tenants and projects; nothing: all of them.
struct ApplyScope {
    std::optional<std::set<std::string>> users;
    std::optional<std::set<std::string>> roles;
    std::optional<std::set<std::string>> tenants;
    std::optional<std::set<std::string>> projects;
    bool platform = true;         // what belongs to the platform itself: labels, robots, grants
    bool all_of_tenants = false;  // also all projects of these tenants
};

// The server as apply and export need it: look-ups that are remembered, and what is to be done last.
class ApplyServer {
public:
    ApplyServer(CtlIo& io, CtlApi& api) : io_{io}, api_{api} {}

    CtlIo& io() noexcept { return io_; }
    CtlApi& api() noexcept { return api_; }

    // The object at this address; nothing where there is none.
    Result<std::optional<boost::json::object>> look(const std::string& path);
    // A list's entries; none where there is no such list.
    Result<std::vector<boost::json::object>> list(const std::string& path);

    Result<std::int64_t> user_id(const std::string& name);
    Result<std::int64_t> role_id(const std::string& name);
    Result<std::int64_t> tenant_id(const std::string& name);
    Result<std::int64_t> project_id(const std::string& name);
    Result<std::int64_t> registry_id(const std::string& name);
    Result<std::int64_t> team_id(const std::string& tenant, const std::string& name);
    // "acme/backend" of a team's id; empty where nobody may know.
    Result<std::string> team_name(std::int64_t id);

    Result<> send(std::string_view method, const std::string& path, const boost::json::value& body = {});
    // Sent when all else is done: what is frozen takes no changes.
    void send_last(std::string_view method, std::string path, boost::json::value body);
    Result<> finish();
    // "robot robot$web+ci" → its secret, shown once.
    void note_secret(std::string name, std::string secret)
    {
        secrets_.emplace_back(std::move(name), std::move(secret));
    }
    const std::vector<std::pair<std::string, std::string>>& secrets() const noexcept { return secrets_; }

private:
    struct Late {
        std::string method;
        std::string path;
        boost::json::value body;
    };

    Result<std::int64_t> remember(
        std::string key,
        const std::string& list,
        std::string_view field,
        const std::string& name,
        std::string_view id,
        std::string_view noun
    );

    CtlIo& io_;
    CtlApi& api_;
    std::map<std::string, std::int64_t, std::less<>> ids_;
    std::optional<std::map<std::int64_t, std::string>> teams_;
    std::vector<Late> late_;
    std::vector<std::pair<std::string, std::string>> secrets_;
};

// One kind of document: how it looks, what the server has of it, and how to change that.
class ApplyKind {
public:
    virtual ~ApplyKind() = default;

    virtual const ApplyShape& shape() const = 0;
    // What of the server's objects is in the scope.
    virtual Result<std::vector<ApplyDocument>> present(ApplyServer& server, const ApplyScope& scope) const = 0;
    virtual Result<> create(ApplyServer& server, const ApplyDocument& wanted) const = 0;
    // `spec` has the fields that differ, as they are to be.
    virtual Result<> change(
        ApplyServer& server, const ApplyDocument& present, const ApplyDocument& wanted, const boost::json::object& spec
    ) const = 0;
    virtual Result<> remove(ApplyServer& server, const ApplyDocument& present) const = 0;
};

// All kinds in the order in which they need each other, and their shapes in the same order.
const std::vector<const ApplyKind*>& apply_kinds();
const std::vector<ApplyShape>& apply_shapes();

// The scope's projects by name, with what the API shows of each.
Result<std::vector<boost::json::object>> projects_in(ApplyServer& server, const ApplyScope& scope);
Result<std::vector<boost::json::object>> tenants_in(ApplyServer& server, const ApplyScope& scope);
// A JSON array of texts, sorted.
boost::json::array sorted_texts(std::vector<std::string> texts);
// What the file or the variable holds that `field` of the spec names by "file" or "variable", without the line's end;
// empty where it names none.
Result<std::string> secret_at(ApplyServer& server, const ApplyDocument& wanted, std::string_view field);
// What is in `after` and not in `before`.
std::vector<std::string> added_texts(const boost::json::value* before, const boost::json::value& after);
std::string text_at(const boost::json::object& object, std::string_view path);
std::int64_t number_at(const boost::json::object& object, std::string_view path, std::int64_t otherwise = 0);
bool flag_at(const boost::json::object& object, std::string_view path);

}  // namespace entrepot

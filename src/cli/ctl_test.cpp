#include "cli/ctl.hpp"

#include "cli/ctl_command.hpp"
#include "cli/test_io.hpp"

#include <boost/json/parse.hpp>

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr auto config_path = "/home/ada/.config/entrepot/config.json";

std::string field_of(const ClientRequest& request, std::string_view name)
{
    for (const auto& field : request.fields) {
        if (field.name == name) return field.value;
    }
    return {};
}

TEST(Ctl, asks_the_server_as_who_the_environment_says)
{
    TestIo io;
    io.answer = [](const ClientRequest&) {
        return json_answer(200, R"({"username":"ada","user_id":3,"sysadmin_flag":true})");
    };
    EXPECT_EQ(io.run({"whoami"}), ctl_exit::success);
    EXPECT_EQ(io.requests.at(0).url, "http://r:5000/api/v2.0/users/current");
    EXPECT_EQ(field_of(io.requests[0], "Authorization"), "Basic YWRhOlNlY3JldDF4");
    EXPECT_NE(io.said.find("ADMIN  yes\n"), std::string::npos) << io.said;
    io.variables.erase("ENTREPOT_USER");
    io.variables["ENTREPOT_TOKEN"] = "ept_1";
    EXPECT_EQ(io.run({"whoami", "-o", "json"}), ctl_exit::success);
    EXPECT_EQ(field_of(io.requests[0], "Authorization"), "Bearer ept_1");
    EXPECT_EQ(json::parse(io.said).at("user_id"), json::value(3));
    EXPECT_EQ(io.run({"whoami", "--quiet"}), ctl_exit::success);
    EXPECT_EQ(io.said, "ada\n");
}

TEST(Ctl, tells_scripts_what_happened_by_its_exit_code)
{
    TestIo io;
    for (const auto& [status, code] : std::vector<std::pair<unsigned, int>>{
             {400, 1},
             {401, 5},
             {403, 4},
             {404, 3},
             {409, 6},
             {412, 6},
             {422, 1},
             {429, 7},
             {500, 1},
             {502, 7},
             {503, 7}
         }) {
        io.answer = [given = status](const ClientRequest&) {
            return json_answer(given, R"({"errors":[{"code":"X","message":"so it is"}]})");
        };
        EXPECT_EQ(io.run({"tenant", "show", "acme"}), code) << status;
        EXPECT_NE(io.complained.find("so it is"), std::string::npos);
        EXPECT_EQ(io.said, "");
    }
    io.answer = [](const ClientRequest&) { return json_answer(502, "<html>"); };
    EXPECT_EQ(io.run({"tenant", "show", "acme"}), 7);
    EXPECT_NE(io.complained.find("502"), std::string::npos);
    io.answer = [](const ClientRequest&) { return json_answer(200, "<html>"); };
    EXPECT_EQ(io.run({"tenant", "show", "acme"}), 1);
    io.answer = nullptr;
    EXPECT_EQ(io.run({"tenant", "show", "acme"}), 7);
    EXPECT_EQ(io.run({"tenant", "show"}), 2);
    io.variables.erase("ENTREPOT_URL");
    EXPECT_EQ(io.run({"tenant", "show", "acme"}), 5);
    EXPECT_EQ(io.run({"tenant", "show", "acme", "--context", "x"}), 2);
}

TEST(Ctl, encodes_names_once_and_those_of_repositories_twice)
{
    TestIo io;
    io.answer = [](const ClientRequest&) { return json_answer(200, "{}"); };
    EXPECT_EQ(io.run({"artifact", "show", "p/a/b@sha256:0"}), 0);
    EXPECT_TRUE(io.requests[0].url.starts_with(
        "http://r:5000/api/v2.0/projects/p/repositories/a%252Fb/artifacts/sha256%3A0?with_tag"
    ));
    EXPECT_EQ(io.run({"tenant", "show", "../users"}), 0);
    EXPECT_EQ(io.requests[0].url, "http://r:5000/api/v2.0/tenants/..%2Fusers");
}

std::string tenants(int from, int count)
{
    std::string body;
    for (int at = from; at < from + count; ++at)
        body += (body.empty() ? "" : ",") + std::string{R"({"name":"t)"} + std::to_string(at) + R"(","id":)" +
                std::to_string(at) + "}";
    return "[" + body + "]";
}

TEST(Ctl, reads_lists_page_by_page_to_their_end)
{
    TestIo io;
    io.answer = [](const ClientRequest& request) {
        const auto page = request.url.contains("page=3&") ? 3 : request.url.contains("page=2&") ? 2 : 1;
        return json_answer(200, tenants(page * 100 - 99, page == 3 ? 5 : 100), {{"X-Total-Count", "205"}});
    };
    EXPECT_EQ(io.run({"tenant", "list", "--quiet"}), 0);
    EXPECT_EQ(io.requests.size(), 3U);
    EXPECT_EQ(std::count(io.said.begin(), io.said.end(), '\n'), 205);
    EXPECT_TRUE(io.said.ends_with("t205\n"));
    EXPECT_EQ(io.run({"tenant", "list", "-o", "json"}), 0);
    EXPECT_EQ(json::parse(io.said).as_array().size(), 205U);
    EXPECT_EQ(io.run({"tenant", "list"}), 0);
    EXPECT_EQ(std::count(io.said.begin(), io.said.end(), '\n'), 206);
    EXPECT_EQ(io.run({"tenant", "list", "-q", "--limit", "120", "--sort", "-name", "--query", "name=~t"}), 0);
    EXPECT_EQ(std::count(io.said.begin(), io.said.end(), '\n'), 120);
    EXPECT_TRUE(io.requests[1].url.ends_with("tenants?q=name%3D~t&sort=-name&page=2&page_size=100"))
        << io.requests[1].url;
    EXPECT_EQ(io.run({"tenant", "list", "-q", "--limit", "0"}), 2);
}

TEST(Ctl, shows_lists_without_entries)
{
    TestIo io;
    for (const auto* body : {"[]", "null", ""}) {
        io.answer = [body](const ClientRequest&) { return json_answer(200, body); };
        EXPECT_EQ(io.run({"tenant", "list", "-o", "json"}), 0);
        EXPECT_EQ(io.said, "[]\n");
        EXPECT_EQ(io.run({"tenant", "list", "-q"}), 0);
        EXPECT_EQ(io.said, "");
    }
    io.answer = [](const ClientRequest&) { return json_answer(200, "{}"); };
    EXPECT_EQ(io.run({"tenant", "list"}), 1);
}

TEST(Ctl, makes_bodies_of_what_was_given_and_nothing_else)
{
    TestIo io;
    io.answer = [](const ClientRequest&) { return json_answer(201, "", {{"Location", "/api/v2.0/projects/7"}}); };
    EXPECT_EQ(io.run({"project", "create", "web", "--tenant", "acme", "--public", "no", "--quota", "1GiB"}), 0);
    EXPECT_EQ(
        json::parse(io.requests[0].body),
        json::parse(R"({"project_name":"web","tenant":"acme","metadata":{"public":"false"},"storage_limit":1073741824})"
        )
    );
    EXPECT_EQ(io.said, "project web: created\n");
    EXPECT_EQ(io.run({"project", "create", "web", "-q"}), 0);
    EXPECT_EQ(io.said, "");
    EXPECT_EQ(json::parse(io.requests[0].body), json::parse(R"({"project_name":"web"})"));
    io.answer = [](const ClientRequest& request) {
        if (request.method == "POST") return json_answer(201, "", {{"Location", "/api/v2.0/projects/7"}});
        return json_answer(200, R"({"project_id":7})");
    };
    EXPECT_EQ(io.run({"project", "create", "web", "-o", "json"}), 0);
    EXPECT_EQ(io.requests.at(1).url, "http://r:5000/api/v2.0/projects/7");
    EXPECT_EQ(json::parse(io.said), json::parse(R"({"project_id":7})"));
}

TEST(Ctl, changes_what_it_read_and_only_while_it_is_still_that)
{
    TestIo io;
    io.answer = [](const ClientRequest& request) {
        if (request.method == "GET")
            return json_answer(200, R"({"name":"acme","display_name":"A","frozen":false})", {{"ETag", "\"1\""}});
        return json_answer(200, "");
    };
    EXPECT_EQ(io.run({"tenant", "freeze", "acme"}), 0);
    EXPECT_EQ(io.requests.at(1).method, "PUT");
    EXPECT_EQ(field_of(io.requests[1], "If-Match"), "\"1\"");
    EXPECT_EQ(json::parse(io.requests[1].body), json::parse(R"({"name":"acme","display_name":"A","frozen":true})"));
    EXPECT_EQ(io.run({"tenant", "update", "acme"}), 2);
}

TEST(Ctl, destroys_nothing_without_a_word)
{
    TestIo io;
    io.answer = [](const ClientRequest&) { return json_answer(200, ""); };
    EXPECT_EQ(io.run({"tenant", "delete", "acme"}), 2);
    EXPECT_TRUE(io.requests.empty());
    EXPECT_NE(io.complained.find("--yes"), std::string::npos);
    io.somebody = true;
    io.replies = {"", "n", "y"};
    EXPECT_EQ(io.run({"tenant", "delete", "acme"}), 1);
    EXPECT_EQ(io.run({"tenant", "delete", "acme"}), 1);
    EXPECT_TRUE(io.requests.empty());
    EXPECT_EQ(io.asked.back(), "Delete the tenant acme? [y/N] ");
    EXPECT_EQ(io.run({"tenant", "delete", "acme"}), 0);
    EXPECT_EQ(io.requests.at(0).method, "DELETE");
    io.somebody = false;
    EXPECT_EQ(io.run({"tenant", "delete", "acme", "--yes"}), 0);
}

TEST(Ctl, finds_ids_by_the_whole_name)
{
    TestIo io;
    io.answer = [](const ClientRequest& request) {
        if (request.url.contains("search"))
            return json_answer(200, R"([{"username":"adam","user_id":2},{"username":"ada","user_id":3}])");
        return json_answer(200, "{}");
    };
    EXPECT_EQ(io.run({"user", "admin", "ada", "on"}), 0);
    EXPECT_EQ(io.requests.at(1).url, "http://r:5000/api/v2.0/users/3/sysadmin");
    EXPECT_EQ(io.requests[1].body, R"({"sysadmin_flag":true})");
    EXPECT_EQ(io.run({"user", "admin", "ad", "on"}), 3);
    EXPECT_EQ(io.run({"user", "admin", "ada", "perhaps"}), 2);
}

TEST(Ctl, names_what_is_not_there)
{
    TestIo io;
    io.answer = [](const ClientRequest&) {
        return json_answer(404, R"({"errors":[{"code":"NOT_FOUND","message":"there is no such project"}]})");
    };
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"project", "show", "web"},
             {"artifact", "show", "web/app:1"},
             {"grant", "add", "user:eve", "developer", "project:web"},
             {"member", "list", "--project", "web"}
         }) {
        EXPECT_EQ(io.run(words), 3);
        EXPECT_EQ(io.complained, "entrepot: there is no project web\n");
    }
}

TEST(Ctl, makes_robots_where_it_was_told)
{
    TestIo io;
    io.answer = [](const ClientRequest&) { return json_answer(201, R"({"secret":"s"})"); };
    EXPECT_EQ(
        io.run({"robot", "create", "ci", "--project", "web", "--permission", "project/library:repository:pull"}), 2
    );
    EXPECT_EQ(io.run({"robot", "create", "ci", "--tenant", "acme", "--permission", "tenant/other:team:read"}), 2);
    EXPECT_TRUE(io.requests.empty());
    EXPECT_EQ(io.run({"robot", "create", "ci", "--project", "web", "--permission", "project/web:repository:pull"}), 0);
}

TEST(Ctl, sets_only_settings_that_there_are)
{
    TestIo io;
    io.answer = [](const ClientRequest&) { return json_answer(200, R"({"count":{"value":1,"editable":true}})"); };
    EXPECT_EQ(io.run({"config", "set", "nope", "1"}), 3);
    EXPECT_EQ(io.requests.size(), 1U);
    EXPECT_EQ(io.run({"config", "set", "count", "2"}), 0);
    EXPECT_EQ(io.requests.at(1).body, R"({"count":2})");
}

class CtlLogin : public testing::Test {
protected:
    CtlLogin()
    {
        for (const auto* name : {"ENTREPOT_URL", "ENTREPOT_USER", "ENTREPOT_PASSWORD"}) io.variables.erase(name);
        io.input = "Secret1x\n";
        io.answer = [this](const ClientRequest& request) {
            if (field_of(request, "Authorization").empty()) return json_answer(401, "");
            if (request.method == "POST") return json_answer(tokens, R"({"id":9,"name":"n","token":"ept_9"})");
            return json_answer(200, R"({"username":"ada"})");
        };
    }
    unsigned tokens = 201;
    TestIo io;
};

TEST_F(CtlLogin, keeps_a_token_and_not_the_password)
{
    EXPECT_EQ(io.run({"login", "registry.example", "--user", "ada", "--password-stdin"}), 0) << io.complained;
    EXPECT_EQ(io.requests.at(0).url, "https://registry.example/api/v2.0/users/current");
    const auto request = json::parse(io.requests.at(1).body);
    EXPECT_EQ(request.at("expires_at"), json::value(1'700'000'000 + 90 * 86'400));
    const auto& file = io.files.at(config_path);
    EXPECT_EQ(file.find("Secret1x"), file.npos);
    EXPECT_EQ(json::parse(file).at("current"), json::value("registry.example"));
    EXPECT_EQ(io.run({"whoami"}), 0);
    EXPECT_EQ(field_of(io.requests.at(0), "Authorization"), "Basic YWRhOmVwdF85");
    EXPECT_EQ(io.run({"context", "list"}), 0);
    EXPECT_NE(io.said.find("registry.example  yes      https://registry.example  ada   token"), std::string::npos)
        << io.said;
}

TEST_F(CtlLogin, names_each_token_otherwise)
{
    for (int at = 0; at < 2; ++at) EXPECT_EQ(io.run({"login", "r", "--user", "ada", "--password-stdin"}), 0);
    EXPECT_EQ(json::parse(io.requests.at(1).body).at("name"), json::value("ctl on desk 2"));
}

TEST_F(CtlLogin, never_keeps_a_persons_password)
{
    for (const unsigned status : {403U, 409U, 404U, 503U}) {
        tokens = status;
        EXPECT_NE(io.run({"login", "r", "--user", "ada", "--password-stdin"}), 0);
        EXPECT_NE(io.complained.find("makes no token for ada"), std::string::npos);
        EXPECT_FALSE(io.files.contains(config_path));
    }
    io.input = "ept_given\n";
    EXPECT_EQ(io.run({"login", "r", "--user", "ada", "--password-stdin"}), 0) << io.complained;
    EXPECT_EQ(json::parse(io.files.at(config_path)).at("contexts").at("r").at("token"), json::value("ept_given"));
}

TEST_F(CtlLogin, keeps_the_secret_of_a_robot)
{
    io.answer = [](const ClientRequest& request) {
        return request.url.ends_with("/users/current") ? json_answer(412, "") : json_answer(200, "[]");
    };
    EXPECT_EQ(io.run({"login", "localhost:5000", "--user", "robot$web+ci", "--password-stdin", "--name", "ci"}), 0);
    EXPECT_EQ(json::parse(io.files.at(config_path)).at("contexts").at("ci").at("password"), json::value("Secret1x"));
    EXPECT_EQ(io.run({"whoami", "-o", "json"}), 0);
    EXPECT_EQ(io.requests.at(0).url, "http://localhost:5000/api/v2.0/users/current");
    EXPECT_EQ(json::parse(io.said), json::parse(R"({"username":"robot$web+ci","level":"project","project":"web"})"));
}

TEST_F(CtlLogin, revokes_its_token_where_the_password_is_at_hand)
{
    const auto log_in = [this] { EXPECT_EQ(io.run({"login", "r", "--user", "ada", "--password-stdin"}), 0); };
    log_in();
    EXPECT_EQ(io.run({"logout"}), 0);
    EXPECT_TRUE(io.requests.empty());
    EXPECT_NE(io.complained.find("was not revoked"), std::string::npos);
    EXPECT_NE(io.complained.find("until 2024-02-12T22:13:20"), std::string::npos) << io.complained;
    EXPECT_NE(io.complained.find("entrepot ctl token revoke 'ctl on desk 1'"), std::string::npos) << io.complained;
    EXPECT_EQ(io.run({"whoami"}), 5);
    log_in();
    io.somebody = true;
    io.replies = {"Secret1x"};
    EXPECT_EQ(io.run({"logout"}), 0);
    EXPECT_EQ(io.requests.at(0).method, "DELETE");
    EXPECT_TRUE(io.requests[0].url.ends_with("/users/current/tokens/9"));
    EXPECT_EQ(field_of(io.requests[0], "Authorization"), "Basic YWRhOlNlY3JldDF4");
    EXPECT_EQ(io.complained.find("not revoked"), std::string::npos);
    log_in();
    io.somebody = false;
    io.variables["ENTREPOT_PASSWORD"] = "Secret1x";
    EXPECT_EQ(io.run({"logout"}), 0);
    EXPECT_EQ(io.requests.size(), 1U);
}

TEST_F(CtlLogin, takes_the_password_for_what_a_token_can_not_do)
{
    EXPECT_EQ(io.run({"login", "r", "--user", "ada", "--password-stdin"}), 0);
    EXPECT_EQ(io.run({"token", "create", "laptop"}), 5);
    EXPECT_TRUE(io.requests.empty());
    EXPECT_NE(io.complained.find("set ENTREPOT_USER and ENTREPOT_PASSWORD"), std::string::npos) << io.complained;
    io.somebody = true;
    io.replies = {"Secret1x"};
    EXPECT_EQ(io.run({"token", "create", "laptop"}), 0);
    EXPECT_EQ(io.asked.back(), "hidden: Password of ada: ");
    EXPECT_EQ(field_of(io.requests.at(0), "Authorization"), "Basic YWRhOlNlY3JldDF4");
}

TEST_F(CtlLogin, tells_that_it_has_expired)
{
    io.files[config_path] = R"({"current":"r","contexts":{"r":{"url":"https://r","user":"ada","token":"ept_1",)"
                            R"("token_id":1,"token_expires":1600000000}}})";
    io.answer = [](const ClientRequest&) { return json_answer(401, ""); };
    EXPECT_EQ(io.run({"whoami"}), 5);
    EXPECT_EQ(io.complained, "entrepot: your log-in has expired: entrepot ctl login https://r\n");
}

TEST_F(CtlLogin, says_that_a_password_is_wrong)
{
    io.answer = [](const ClientRequest&) { return json_answer(401, R"({"errors":[{"message":"no"}]})"); };
    EXPECT_EQ(io.run({"login", "r", "--user", "ada", "--password-stdin"}), 5);
    EXPECT_FALSE(io.files.contains(config_path));
    EXPECT_EQ(io.run({"login", "r", "--user", "ada"}), 2) << "nobody is there to be asked";
    EXPECT_EQ(io.run({"login", "ftp://r", "--user", "ada", "--password-stdin"}), 2);
    EXPECT_EQ(io.run({"login", "https://u:p@r", "--user", "ada", "--password-stdin"}), 2);
}

TEST_F(CtlLogin, asks_where_somebody_is_there)
{
    io.somebody = true;
    io.replies = {"ada", "Secret1x"};
    EXPECT_EQ(io.run({"login", "r"}), 0);
    EXPECT_EQ(io.asked, (std::vector<std::string>{"User: ", "hidden: Password: "}));
}

TEST_F(CtlLogin, changes_between_contexts)
{
    EXPECT_EQ(io.run({"login", "a", "--user", "ada", "--password-stdin"}), 0);
    EXPECT_EQ(io.run({"login", "b", "--user", "ada", "--password-stdin", "--insecure"}), 0);
    EXPECT_EQ(io.run({"whoami", "--context", "a"}), 0);
    EXPECT_TRUE(io.requests.at(0).url.starts_with("https://a/"));
    EXPECT_EQ(io.run({"context", "use", "a"}), 0);
    EXPECT_EQ(io.run({"whoami"}), 0);
    EXPECT_TRUE(io.requests.at(0).url.starts_with("https://a/"));
    EXPECT_EQ(io.run({"context", "use", "c"}), 3);
    io.files[config_path] = "{";
    EXPECT_EQ(io.run({"whoami"}), 1);
}

TEST(ProcessIo, writes_files_that_only_their_owner_can_read)
{
    const auto io = make_process_io();
    const auto directory = std::filesystem::temp_directory_path() / ("entrepot-ctl-" + std::to_string(::getpid()));
    const auto path = (directory / "deep" / "config.json").string();
    ASSERT_TRUE(io->write_private(path, "one"));
    std::filesystem::permissions(path, std::filesystem::perms::all);
    ASSERT_TRUE(io->write_private(path, "two"));
    EXPECT_EQ(io->read_file(path).value(), "two");
    EXPECT_EQ(
        std::filesystem::status(path).permissions(),
        std::filesystem::perms::owner_read | std::filesystem::perms::owner_write
    );
    EXPECT_EQ(
        std::filesystem::status(path).permissions() & std::filesystem::perms::others_all, std::filesystem::perms::none
    );
    EXPECT_EQ(io->read_file(path + "x").error().code(), Errc::not_found);
    std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace entrepot

#include "app/config.hpp"

#include "app/config_keys.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

Result<Config> read(std::string_view yaml, const Environment& environment = {}, const ConfigFlags& flags = {})
{
    return read_config(yaml, "site.yaml", environment, flags);
}

std::string problem(std::string_view yaml, const Environment& environment = {}, const ConfigFlags& flags = {})
{
    const auto config = read(yaml, environment, flags);
    return config ? "no problem" : config.error().message();
}

TEST(Config, serves_plain_on_loopback_by_default)
{
    const auto config = read("");
    ASSERT_TRUE(config.has_value());
    ASSERT_EQ(config->listeners.size(), 1U);
    EXPECT_EQ(config->listeners[0].address, "127.0.0.1");
    EXPECT_EQ(config->listeners[0].port, 5000);
    EXPECT_FALSE(config->listeners[0].tls.has_value());
    EXPECT_EQ(config->listeners[0].surfaces, Surfaces{});
    EXPECT_FALSE(config->uses_postgres());
    EXPECT_EQ(config->storage_root(), "./var/blobs");
    EXPECT_EQ(config->manifests.max_bytes, 4'194'304U);
}

TEST(Config, reads_every_kind_of_value)
{
    const auto config = read(R"(
data: /srv/entrepot
database: {url: "postgresql://u:p@h/n", connections: 3}
storage: {root: /blobs}
http:
  header_timeout: 10s
  idle_timeout: 1m30s
  header_bytes: 64KiB
  trusted_proxies: [10.0.0.0/8, "::1"]
  loops: 2
auth: {external_url: "https://registry.example:8443", create_project_on_push: everyone, key_rotation: 30d}
log: {level: debug, format: json, access: true}
caches: {blob_bytes: 16MB}
)");
    ASSERT_TRUE(config.has_value()) << config.error().message();
    EXPECT_EQ(config->data, "/srv/entrepot");
    EXPECT_TRUE(config->uses_postgres());
    EXPECT_EQ(config->database.connections, 3U);
    EXPECT_EQ(config->storage_root(), "/blobs");
    EXPECT_EQ(config->http.header_timeout, std::chrono::seconds{10});
    EXPECT_EQ(config->http.idle_timeout, std::chrono::seconds{90});
    EXPECT_EQ(config->http.header_bytes, 65'536U);
    EXPECT_EQ(config->http.trusted_proxies, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
    EXPECT_EQ(config->loops, 2U);
    EXPECT_EQ(config->auth.external_url, "https://registry.example:8443");
    EXPECT_EQ(config->auth.create_project_on_push, ProjectCreation::everyone);
    EXPECT_EQ(config->auth.key_rotation, std::chrono::hours{720});
    EXPECT_EQ(config->log.level, log::Level::debug);
    EXPECT_EQ(config->log.format, log::Format::json);
    EXPECT_TRUE(config->log.access);
    EXPECT_EQ(config->caches.blob_bytes, 16'000'000U);
}

TEST(Config, reads_listeners_with_their_own_surfaces)
{
    const auto config = read(R"(
listeners:
  - {name: public, address: "::", port: 443, tls: {certificate: c.pem, key: k.pem}, surfaces: [oci, token], rate: 10MB}
  - {address: eth1, port: 9090, surfaces: metrics}
)");
    ASSERT_TRUE(config.has_value()) << config.error().message();
    ASSERT_EQ(config->listeners.size(), 2U);
    const auto& first = config->listeners[0];
    EXPECT_EQ(first.name, "public");
    EXPECT_EQ(first.address, "::");
    EXPECT_EQ(first.port, 443);
    EXPECT_EQ(first.tls->certificate_file, "c.pem");
    EXPECT_EQ(first.tls->key_file, "k.pem");
    EXPECT_EQ(first.surfaces, (Surfaces{true, false, true, false, false}));
    EXPECT_EQ(first.bytes_per_second, 10'000'000U);
    EXPECT_EQ(config->listeners[1].name, "eth1:9090");
    EXPECT_EQ(config->listeners[1].surfaces, (Surfaces{false, false, false, true, false}));
}

struct Mistake {
    std::string_view yaml;
    std::string_view answer;
};

class ConfigMistake : public testing::TestWithParam<Mistake> {};

TEST_P(ConfigMistake, is_told_with_its_line)
{
    EXPECT_EQ(problem(GetParam().yaml), GetParam().answer);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    ConfigMistake,
    testing::Values(
        Mistake{"dta: x", "site.yaml:1: dta: there is no such key; did you mean data?"},
        Mistake{"\nhtpt: {}", "site.yaml:2: htpt: there is no such key; did you mean http?"},
        Mistake{
            "http:\n  header_timeot: 5s",
            "site.yaml:2: http.header_timeot: there is no such key; did you mean http.header_timeout?"
        },
        Mistake{
            "header_timeout: 5s", "site.yaml:1: header_timeout: there is no such key; did you mean http.header_timeout?"
        },
        Mistake{"zebra: 1", "site.yaml:1: zebra: there is no such key"},
        Mistake{"http:\n  loops: 1\n  loops: 2", "site.yaml:3: http.loops: is set twice"},
        Mistake{"log: {}\nlog: {}", "site.yaml:2: log: is set twice"},
        Mistake{"http: 5", "site.yaml:1: http: must be a map of keys and values"},
        Mistake{"- a", "site.yaml:1: must be a map of keys and values"},
        Mistake{"data:", "site.yaml:1: data: has no value"},
        Mistake{"data: [a]", "site.yaml:1: data: must be a single value: path"},
        Mistake{"http:\n  loops: many", "site.yaml:2: http.loops: 'many' is not a whole number"},
        Mistake{"http: {loops: -1}", "site.yaml:1: http.loops: '-1' is not a whole number"},
        Mistake{"http: {loops: 1025}", "site.yaml:1: http.loops: must be at most 1024"},
        Mistake{
            "http: {idle_timeout: 30}", "site.yaml:1: http.idle_timeout: '30' is not a duration such as 30s, 5m or 168h"
        },
        Mistake{"http: {idle_timeout: 2h}", "site.yaml:1: http.idle_timeout: must be at most 1h"},
        Mistake{"http: {idle_timeout: 0s}", "site.yaml:1: http.idle_timeout: must be at least 1s"},
        Mistake{
            "caches: {blob_bytes: 5XB}",
            "site.yaml:1: caches.blob_bytes: '5XB' is not a size such as 512, 64KiB or 16MB"
        },
        Mistake{
            "caches: {blob_bytes: 99999999999999999TiB}",
            "site.yaml:1: caches.blob_bytes: '99999999999999999TiB' is not a size such as 512, 64KiB or 16MB"
        },
        Mistake{"log: {access: perhaps}", "site.yaml:1: log.access: 'perhaps' is neither true nor false"},
        Mistake{"log: {format: xml}", "site.yaml:1: log.format: 'xml' is none of text, json"},
        Mistake{
            "http:\n  trusted_proxies:\n    - 10.0.0.0/33",
            "site.yaml:2: http.trusted_proxies: '10.0.0.0/33' is neither an address nor a network such as 10.0.0.0/8"
        },
        Mistake{
            "database: {url: 'mysql://secret'}",
            "site.yaml:1: database.url: must be empty (SQLite in the data directory) or start with postgresql://"
        },
        Mistake{
            "auth: {external_url: 'https://a/b'}",
            "site.yaml:1: auth.external_url: must be http://HOST[:PORT] or https://HOST[:PORT], without a path"
        },
        Mistake{
            "auth:\n  master_key_file: f\n  master_key: "
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "site.yaml:3: auth.master_key: auth.master_key_file is set too, only one of them may be"
        },
        Mistake{
            "auth: {master_key: hunter2}",
            "site.yaml:1: auth.master_key: a master key is 32 bytes: 64 hexadecimal digits, or base64 with padding"
        },
        Mistake{
            "shutdown:\n  stalled: 2m",
            "site.yaml:2: shutdown.stalled: shutdown.stalled must not be longer than shutdown.longest"
        },
        Mistake{"listeners: []", "site.yaml:1: listeners: must be a list of at least one listener"},
        Mistake{"listeners: {}", "site.yaml:1: listeners: must be a list of at least one listener"},
        Mistake{"listeners:\n  - 5", "site.yaml:2: listeners[0]: must be a map of keys and values"},
        Mistake{
            "listeners:\n  - port: 1\n  - prt: 2",
            "site.yaml:3: listeners[1].prt: there is no such key; did you mean port?"
        },
        Mistake{"listeners:\n  - port: 70000", "site.yaml:2: listeners[0].port: must be at most 65535"},
        Mistake{
            "listeners:\n  - tls: {key: k}", "site.yaml:2: listeners[0]: tls.certificate and tls.key need each other"
        },
        Mistake{
            "listeners:\n  - surfaces: [oci, tokn]",
            "site.yaml:2: listeners[0].surfaces: 'tokn' is none of oci, api, token, metrics, swarm"
        },
        Mistake{
            "listeners:\n  - {name: a, port: 1}\n  - {name: a, port: 2}",
            "site.yaml:3: listeners[1]: another listener has the name a"
        },
        Mistake{
            "listeners:\n  - {name: a, port: 1}\n  - {name: b, port: 1}",
            "site.yaml:3: listeners[1]: another listener has the address 127.0.0.1:1"
        },
        Mistake{"a: b: c", "site.yaml:1: is not valid YAML: illegal map value"},
        Mistake{"data: x\n---\ndata: y", "site.yaml:3: holds a second document, there must be one"},
        Mistake{
            "dta: x\nhttp:\n  loops: x",
            "site.yaml:1: dta: there is no such key; did you mean data?\nsite.yaml:3: http.loops: 'x' is not a whole "
            "number"
        }
    )
);

TEST(Config, takes_flags_over_environment_over_file)
{
    const std::string_view yaml = "data: /file\ndatabase: {connections: 1}\nlog: {level: error}";
    const Environment environment{{"ENTREPOT_DATA", "/environment"}, {"ENTREPOT_DATABASE_CONNECTIONS", "2"}};
    const ConfigFlags flags{.data = "/flag"};
    const auto config = read(yaml, environment, flags);
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(config->data, "/flag");
    EXPECT_EQ(config->database.connections, 2U);
    EXPECT_EQ(config->log.level, log::Level::error);
}

TEST(Config, reads_every_key_from_the_environment)
{
    for (const auto& key : config_keys()) {
        const auto config = read("", {{variable_of(key.name), "\x01"}});
        if (config) continue;  // any text will do for this one
        EXPECT_TRUE(config.error().message().starts_with(variable_of(key.name) + ": " + std::string{key.name} + ": "))
            << config.error().message();
    }
    const auto config = read("", {{"ENTREPOT_HTTP_TRUSTED_PROXIES", "10.0.0.0/8, ::1"}});
    EXPECT_EQ(config->http.trusted_proxies, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
}

TEST(Config, refuses_variables_it_does_not_know)
{
    EXPECT_EQ(
        problem("", {{"ENTREPOT_HTTP_HEADER_TIMEOT", "5s"}}),
        "ENTREPOT_HTTP_HEADER_TIMEOT: there is no such key; did you mean ENTREPOT_HTTP_HEADER_TIMEOUT?"
    );
    EXPECT_EQ(problem("", {{"ENTREPOT_ZEBRA_CROSSING", "1"}}), "ENTREPOT_ZEBRA_CROSSING: there is no such key");
}

TEST(Config, passes_over_what_is_not_its_own)
{
    EXPECT_EQ(
        problem(
            "",
            {{"PATH", "/bin"},
             {"ENTREPOT_ADMIN_PASSWORD", "Secret123"},
             {"ENTREPOT_URL", "http://localhost:5000"},
             {"ENTREPOT_TOKEN", "ept_1"},
             {"ENTREPOT_SERVICE_HOST", "10.0.0.1"},
             {"ENTREPOT_SERVICE_PORT", "5000"},
             {"ENTREPOT_SERVICE_PORT_HTTP", "5000"},
             {"ENTREPOT_PORT", "tcp://10.0.0.1:5000"},
             {"ENTREPOT_PORT_5000_TCP_ADDR", "10.0.0.1"}}
        ),
        "no problem"
    );
    EXPECT_NE(problem("", {{"ENTREPOT_HTTP_PORT", "5000"}}), "no problem");
}

TEST(Config, opens_only_what_the_listen_flags_name)
{
    const auto config = read(
        "listeners: [{name: other, port: 1}]",
        {},
        {.listen = "[::1]:5001", .tls_listen = "eth1:5443", .tls_cert = "c", .tls_key = "k"}
    );
    ASSERT_TRUE(config.has_value()) << config.error().message();
    ASSERT_EQ(config->listeners.size(), 2U);
    EXPECT_EQ(config->listeners[0].address, "::1");
    EXPECT_EQ(config->listeners[0].port, 5001);
    EXPECT_EQ(config->listeners[0].surfaces, Surfaces{});
    EXPECT_EQ(config->listeners[1].address, "eth1");
    EXPECT_EQ(config->listeners[1].tls->certificate_file, "c");
}

TEST(Config, refuses_bad_flags)
{
    EXPECT_EQ(problem("", {}, {.listen = "5000"}), "--listen: '5000' is not ADDRESS:PORT");
    EXPECT_EQ(problem("", {}, {.tls_listen = ":1"}), "--tls-listen, --tls-cert, --tls-key: need each other");
    EXPECT_EQ(problem("", {}, {.data = ""}), "--data: data: must not be empty");
}

TEST(Config, tells_a_file_that_is_not_there)
{
    const auto config = load_config("/no/such/file.yaml", {}, {});
    ASSERT_FALSE(config.has_value());
    EXPECT_EQ(config.error().message(), "/no/such/file.yaml: can't be read: No such file or directory");
    EXPECT_FALSE(load_config("/", {}, {}).has_value());
}

TEST(Endpoint, takes_addresses_interfaces_and_brackets)
{
    using Endpoint = std::pair<std::string, std::uint16_t>;
    EXPECT_EQ(parse_endpoint("127.0.0.1:5000"), (Endpoint{"127.0.0.1", 5000}));
    EXPECT_EQ(parse_endpoint("[::1]:0"), (Endpoint{"::1", 0}));
    EXPECT_EQ(parse_endpoint("eth0.100:1"), (Endpoint{"eth0.100", 1}));
    EXPECT_EQ(parse_endpoint(":5000"), (Endpoint{"0.0.0.0", 5000}));
    EXPECT_EQ(parse_endpoint("localhost:5000"), (Endpoint{"127.0.0.1", 5000}));
    for (const auto* text :
         {"",
          ":",
          "5000",
          "::1:5000",
          "[::1]",
          "[]:1",
          "[eth0]:1",
          "1.2.3.4:",
          "1.2.3.4:65536",
          "1.2.3.4:x",
          "1.2.3.4:-1",
          "256.1.1.1:1",
          "a b:1",
          "registry.example.com:1"}) {
        EXPECT_FALSE(parse_endpoint(text).has_value()) << text;
    }
}

// Its path from the root of the repository, where this file's lies two folders down.
std::string documented(const std::string& path)
{
    const std::string here{__FILE__};
    const auto root = here.substr(0, here.rfind("/src/app/"));
    std::ifstream stream{root + "/" + path, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

TEST(ConfigReference, is_what_the_tables_print)
{
    EXPECT_EQ(documented("docs/operations/configuration.md"), config_reference())
        << "print it anew: entrepot check-config --print-reference > docs/operations/configuration.md";
}

}  // namespace
}  // namespace entrepot

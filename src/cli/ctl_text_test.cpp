#include "cli/ctl_text.hpp"

#include "cli/ctl_access.hpp"
#include "cli/ctl_lookup.hpp"
#include "cli/ctl_run.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace entrepot {
namespace {

namespace json = boost::json;

TEST(CtlText, reads_and_writes_sizes)
{
    EXPECT_EQ(parse_ctl_size("10GiB"), 10'737'418'240);
    EXPECT_EQ(parse_ctl_size("500MB"), 500'000'000);
    EXPECT_EQ(parse_ctl_size("7"), 7);
    EXPECT_EQ(parse_ctl_size("unlimited"), -1);
    for (const auto* text : {"", "GiB", "-2", "1.5GiB", "1 GiB", "1gib", "9000000TiB", "99999999999999999999"})
        EXPECT_FALSE(parse_ctl_size(text)) << text;
    EXPECT_EQ(size_text(0), "0 B");
    EXPECT_EQ(size_text(1536), "1.5 KiB");
    EXPECT_EQ(size_text(10'737'418'240), "10.0 GiB");
    EXPECT_EQ(size_text(-1), "unlimited");
}

TEST(CtlText, reads_durations)
{
    EXPECT_EQ(parse_ctl_duration("30d"), 30 * 86'400);
    EXPECT_EQ(parse_ctl_duration("90m"), 5400);
    for (const auto* text : {"", "d", "30", "0d", "-1d", "1w", "99999999999d"})
        EXPECT_FALSE(parse_ctl_duration(text)) << text;
}

TEST(CtlText, reads_what_options_mean)
{
    const auto value = [](CtlValue kind, std::string_view text) {
        return ctl_value({.name = "x", .kind = kind}, text, 1'700'000'000'000'000);
    };
    EXPECT_EQ(value(CtlValue::moment, "1h").value(), json::value(1'700'003'600));
    EXPECT_EQ(value(CtlValue::moment, "2026-12-31").value(), json::value(1'798'675'200));
    EXPECT_EQ(value(CtlValue::moment, "never").value(), json::value(-1));
    EXPECT_EQ(value(CtlValue::days, "90d").value(), json::value(90));
    EXPECT_EQ(value(CtlValue::days, "never").value(), json::value(-1));
    EXPECT_EQ(value(CtlValue::boolean, "yes").value(), json::value(true));
    for (const auto& [kind, text] : std::vector<std::pair<CtlValue, std::string_view>>{
             {CtlValue::moment, "5"},
             {CtlValue::moment, "tomorrow"},
             {CtlValue::integer, "1x"},
             {CtlValue::boolean, "1"},
             {CtlValue::size, "x"}
         })
        EXPECT_EQ(value(kind, text).error().code(), Errc::bad_request) << text;
}

TEST(CtlText, makes_tables_whose_columns_stand)
{
    const std::vector<CtlColumn> columns{{"NAME", "name"}, {"SIZE", "a.size", CtlFormat::bytes}, {"TAGS", "tags"}};
    const std::vector<json::object> rows{
        {{"name", "caf\xc3\xa9"}, {"a", {{"size", 1024}}}, {"tags", {{{"name", "1"}}, {{"name", "2"}}}}},
        {{"name", "longer name"}, {"a", nullptr}, {"tags", nullptr}},
    };
    std::vector<std::size_t> widths;
    EXPECT_EQ(
        table_text(columns, rows, true, widths),
        "NAME         SIZE     TAGS\n"
        "caf\xc3\xa9         1.0 KiB  1,2\n"
        "longer name\n"
    );
    EXPECT_EQ(card_text(columns, rows[0]), "NAME  caf\xc3\xa9\nSIZE  1.0 KiB\nTAGS  1,2\n");
}

TEST(CtlText, lets_no_stranger_write_to_the_terminal)
{
    EXPECT_EQ(cell_text({{"x", "a\x1b[31mb\x07\nc\xc2\x9b\xff"}}, {"X", "x"}), "a[31mb c");
}

TEST(CtlText, writes_yaml_that_reads_back)
{
    const auto value = json::parse(R"({
        "plain": "text", "spaces": " a ", "yes": "yes", "number": "12", "real": 3, "none": null, "flag": true,
        "colon": "a: b", "right": "repository:pull", "end": "a:", "hash": "a #b", "lines": "a\nb", "empty": "", "list": [1, "no", []],
        "objects": [{"a": 1, "b": {"c": []}}, {}], "dash": "-", "star": "*", "time": "2026-11-21T22:51:00Z", "~": "~"
    })")
                           .as_object();
    const auto node = YAML::Load(yaml_text(value));
    EXPECT_EQ(node["plain"].as<std::string>(), "text");
    for (const auto* name :
         {"spaces", "yes", "number", "colon", "right", "end", "hash", "lines", "empty", "dash", "star", "time", "~"}) {
        EXPECT_EQ(node[name].as<std::string>(), std::string{value.at(name).as_string()}) << name;
        EXPECT_FALSE(node[name].IsNull()) << name;
    }
    EXPECT_EQ(node["yes"].Tag(), "!") << "quoted";
    EXPECT_EQ(node["number"].Tag(), "!");
    EXPECT_EQ(node["real"].as<int>(), 3);
    EXPECT_TRUE(node["none"].IsNull());
    EXPECT_EQ(node["list"][1].as<std::string>(), "no");
    EXPECT_EQ(node["list"][2].size(), 0U);
    EXPECT_EQ(node["objects"][0]["b"]["c"].size(), 0U);
    EXPECT_EQ(yaml_entry(json::object{{"a", 1}, {"b", 2}}), "- a: 1\n  b: 2\n");
    EXPECT_EQ(json::parse(pretty_json(value)), json::value(value));
}

TEST(CtlText, knows_the_parts_of_an_artifacts_name)
{
    const auto check =
        [](std::string_view text, std::string_view project, std::string_view repository, std::string_view reference) {
            const auto name = parse_artifact_name(text).value();
            EXPECT_EQ(name.project, project);
            EXPECT_EQ(name.repository, repository);
            EXPECT_EQ(name.reference, reference);
        };
    check("library/app", "library", "app", "");
    check("library/a/b:1.0", "library", "a/b", "1.0");
    check("library/app@sha256:abc", "library", "app", "sha256:abc");
    check("library/app:1@sha256:abc", "library", "app", "sha256:abc");
    for (const auto* text : {"", "app", "/app", "library/", "library/:1"})
        EXPECT_FALSE(parse_artifact_name(text)) << text;
}

TEST(CtlText, puts_rights_on_one_object_together)
{
    const std::vector<std::string> texts{
        "repository:pull", "project/b:tag:list", "repository:push", "system/:label:list"
    };
    const CtlAccessHome home{"project", "a"};
    EXPECT_EQ(
        parse_access(texts, &home).value(),
        json::parse(R"([
            {"kind":"project","namespace":"a","access":[{"resource":"repository","action":"pull"},{"resource":"repository","action":"push"}]},
            {"kind":"project","namespace":"b","access":[{"resource":"tag","action":"list"}]},
            {"kind":"system","namespace":"/","access":[{"resource":"label","action":"list"}]}])")
            .as_array()
    );
    EXPECT_FALSE(parse_access(std::vector<std::string>{"repository:pull"}, nullptr));
    EXPECT_FALSE(parse_access(std::vector<std::string>{"project/a"}, &home));
    EXPECT_FALSE(parse_access(std::vector<std::string>{"project/a:x"}, &home));
}

}  // namespace
}  // namespace entrepot

#include "tenancy/project_metadata.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(ProjectMetadata, has_harbor_s_names_and_ours)
{
    for (const auto* name : {"public", "shared", "auto_scan", "reuse_sys_cve_allowlist", "enable_content_trust"}) {
        EXPECT_TRUE(check_project_metadata(name, "true")) << name;
        EXPECT_TRUE(check_project_metadata(name, "False")) << name;
        EXPECT_FALSE(check_project_metadata(name, "yes")) << name;
        EXPECT_FALSE(check_project_metadata(name, "")) << name;
    }
    EXPECT_TRUE(check_project_metadata("severity", "Critical"));
    EXPECT_FALSE(check_project_metadata("severity", "bad"));
    EXPECT_TRUE(check_project_metadata("proxy_speed_kb", "-1"));
    EXPECT_FALSE(check_project_metadata("proxy_speed_kb", "-2"));
    EXPECT_FALSE(check_project_metadata("proxy_speed_kb", "10k"));
    EXPECT_TRUE(check_project_metadata("proxy_cache_filter_kind", "doublestar"));
    EXPECT_FALSE(check_project_metadata("proxy_cache_filter_kind", "regex")) << "no filter may be passed over";
    EXPECT_FALSE(check_project_metadata("proxy_cache_filter_kind", "glob"));
    EXPECT_TRUE(check_project_metadata("environment", "pre-prod_2.eu"));
    for (const auto* wrong : {"", "two words", "a/b"}) EXPECT_FALSE(check_project_metadata("environment", wrong));
    EXPECT_FALSE(check_project_metadata("environment", std::string(65, 'x')));
    EXPECT_FALSE(check_project_metadata("proxy_cache_filter_pattern", std::string(1025, 'x')));
}

TEST(ProjectMetadata, knows_no_other_names)
{
    for (const auto* name : {"", "owner_id", ".cve_allowlist", "PUBLIC", "public "}) {
        EXPECT_FALSE(check_project_metadata(name, "true")) << name;
        EXPECT_FALSE(is_project_metadata(name)) << name;
    }
}

TEST(ProjectMetadata, keeps_truth_in_small_letters_and_everything_else_as_it_is)
{
    EXPECT_EQ(kept_metadata("TRUE"), "true");
    EXPECT_EQ(kept_metadata("High"), "High");
}

}  // namespace
}  // namespace entrepot

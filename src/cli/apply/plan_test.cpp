#include "cli/apply/plan.hpp"

#include "cli/apply/apply.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

namespace json = boost::json;
using What = ApplyStep::What;

std::vector<ApplyDocument> documents(const std::string& text)
{
    return parse_documents(text, "f.yaml", apply_shapes()).value();
}

ApplyPlan plan(const std::string& wanted, const std::string& present, const std::string& removable = "")
{
    return make_plan(apply_shapes(), documents(wanted), documents(present), documents(removable));
}

constexpr auto team = "kind: Team\nmetadata: {name: a, tenant: t}\nspec: {description: x, members: [ada, bob]}\n";

TEST(ApplyPlan, finds_nothing_where_all_is_as_it_is_to_be)
{
    EXPECT_TRUE(plan(team, team).changes_nothing());
    EXPECT_TRUE(
        plan("kind: Team\nmetadata: {tenant: t, name: a}\nspec: {members: [bob, ada]}\n", team).changes_nothing()
    ) << "orders mean nothing, and what a file leaves out is left alone";
    EXPECT_TRUE(plan("", team).changes_nothing());
    EXPECT_TRUE(plan("kind: Team\nmetadata: {tenant: t, name: a}\n", team).changes_nothing());
}

TEST(ApplyPlan, shows_changes_field_by_field)
{
    const auto changed =
        plan("kind: Team\nmetadata: {name: a, tenant: t}\nspec: {description: 'y: z', members: [bob, cleo]}\n", team);
    EXPECT_EQ(changed.count(What::change), 1U);
    EXPECT_EQ(
        plan_text(changed),
        "~ Team t/a\n"
        "    description: x -> \"y: z\"\n"
        "    members: +cleo -ada\n"
        "0 to create, 1 to change, 0 to delete, 0 unchanged\n"
    );
}

TEST(ApplyPlan, compares_of_a_map_what_is_named)
{
    const auto present = "kind: Project\nmetadata: {name: p}\nspec: {metadata: {auto_scan: 'true', severity: low}}\n";
    EXPECT_TRUE(
        plan("kind: Project\nmetadata: {name: p}\nspec: {metadata: {severity: low}}\n", present).changes_nothing()
    );
    const auto changed =
        plan("kind: Project\nmetadata: {name: p}\nspec: {metadata: {severity: high, x: y}}\n", present);
    ASSERT_EQ(changed.steps.at(0).differences.size(), 2U);
    EXPECT_EQ(changed.steps[0].differences[0].name, "metadata.severity");
    EXPECT_EQ(changed.steps[0].differences[1].before, json::value(nullptr));
}

TEST(ApplyPlan, does_first_what_others_need_and_last_what_needs_others)
{
    const auto made = plan(
        "kind: Grant\nmetadata: {subject: 'team:t/a', role: r, object: 'tenant:t'}\n---\n" + std::string{team} +
            "---\nkind: Tenant\nmetadata: {name: t}\n---\nkind: Role\nmetadata: {name: r}\nspec: {permissions: [x]}\n",
        "",
        "kind: Tenant\nmetadata: {name: old}\n---\nkind: Team\nmetadata: {name: b, tenant: old}\n---\n" +
            std::string{team}
    );
    std::string order;
    for (const auto& step : made.steps)
        order += std::string{step.wanted.kind} + (step.what == What::remove ? "- " : " ");
    EXPECT_EQ(order, "Role Tenant Team Grant Team- Tenant- ");
    EXPECT_NE(
        plan_text(made).find("- Tenant old\n4 to create, 0 to change, 2 to delete, 0 unchanged\n"), std::string::npos
    ) << plan_text(made);
}

TEST(ApplyPlan, does_not_compare_what_counts_at_creation_alone)
{
    EXPECT_TRUE(plan(
                    "kind: User\nmetadata: {name: ada}\nspec: {email: a@b, password_from: {variable: X}}\n",
                    "kind: User\nmetadata: {name: ada}\nspec: {email: a@b}\n"
    )
                    .changes_nothing());
}

TEST(ApplyScope, is_what_the_files_name)
{
    const auto scope = scope_of(
        documents(
            std::string{team} +
            "---\nkind: Project\nmetadata: {name: web}\nspec: {tenant: acme}\n---\n"
            "kind: Grant\nmetadata: {subject: 'user:ada', role: r, object: 'repository:lib', pattern: '**'}\n---\n"
            "kind: User\nmetadata: {name: ada}\n"
        ),
        false
    );
    EXPECT_EQ(*scope.tenants, (std::set<std::string>{"acme", "t"}));
    EXPECT_EQ(*scope.projects, (std::set<std::string>{"lib", "web"}));
    EXPECT_EQ(*scope.users, std::set<std::string>{"ada"});
    EXPECT_FALSE(scope.platform);
    EXPECT_FALSE(scope.all_of_tenants);
    EXPECT_TRUE(scope_of(documents("kind: Label\nmetadata: {name: a}\n"), true).platform);
    EXPECT_TRUE(
        scope_of(documents("kind: Grant\nmetadata: {subject: 'user:ada', role: r, object: platform}\n"), true).platform
    );
}

}  // namespace
}  // namespace entrepot

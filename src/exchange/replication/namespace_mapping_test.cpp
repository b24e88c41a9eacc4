#include "exchange/replication/namespace_mapping.hpp"

#include <gtest/gtest.h>

#include <array>

namespace entrepot {
namespace {

std::string mapped(std::string_view name, std::string_view space, std::int32_t replaced)
{
    const auto to = mapped_repository(RepositoryName::parse(name).value(), space, replaced);
    return to ? to->text() : std::string{name_of(to.error().code())};
}

// The table of Harbor's documentation of dest_namespace_replace_count.
TEST(NamespaceMapping, is_harbors)
{
    struct Row {
        std::string_view name;
        std::string_view space;
        std::int32_t replaced;
        std::string_view to;
    };
    constexpr std::array rows{
        Row{"c/d/e/f", "a/b", -1, "a/b/f"},
        Row{"c/d/e/f", "a/b", 0, "a/b/c/d/e/f"},
        Row{"c/d/e/f", "a/b", 1, "a/b/d/e/f"},
        Row{"c/d/e/f", "a/b", 2, "a/b/e/f"},
        Row{"c/d/e/f", "a/b", 3, "a/b/f"},
        Row{"library/hello-world", "mirror", -1, "mirror/hello-world"},
        Row{"library/hello-world", "mirror", 0, "mirror/library/hello-world"},
        Row{"library/hello-world", "mirror", 1, "mirror/hello-world"},
        Row{"library/hello-world", "mirror", 2, "unprocessable"},
        Row{"library/hello-world", "mirror", 3, "unprocessable"},
        Row{"alone", "mirror", -1, "mirror/alone"},
        Row{"alone", "mirror", 0, "mirror/alone"},
        Row{"alone", "mirror", 1, "unprocessable"},
        Row{"c/d/e/f", "", -1, "c/d/e/f"},
        Row{"c/d/e/f", "", 3, "c/d/e/f"},
        Row{"a/b", "No", 0, "name_invalid"},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(mapped(row.name, row.space, row.replaced), row.to) << row.name << " " << row.replaced;
    }
}

TEST(NamespaceMapping, tells_where_it_only_exchanges_what_names_begin_with)
{
    const auto exchanged = [](std::string_view prefix, std::string_view space, std::int32_t replaced) {
        const auto exchange = exchanged_prefix(prefix, space, replaced);
        return exchange ? exchange->from + " -> " + exchange->into : "no";
    };
    EXPECT_EQ(exchanged("", "", -1), " -> ");
    EXPECT_EQ(exchanged("shop/", "", 1), " -> ");
    EXPECT_EQ(exchanged("", "copies", 0), " -> copies/");
    EXPECT_EQ(exchanged("shop/web", "copies", 0), " -> copies/");
    EXPECT_EQ(exchanged("shop/web", "a/b", 1), "shop/ -> a/b/");
    EXPECT_EQ(exchanged("shop/web/x", "a", 2), "shop/web/ -> a/");
    EXPECT_EQ(exchanged("shop/web", "a", 2), "no");
    EXPECT_EQ(exchanged("shop", "a", 1), "no");
    EXPECT_EQ(exchanged("shop/", "a", -1), "no");
}

}  // namespace
}  // namespace entrepot

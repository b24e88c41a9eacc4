#include "api/oci/joined_pages.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace entrepot {
namespace {

using Names = std::vector<std::string>;
using Page = JoinedPages<std::string>;

TEST(JoinedPages, are_in_order_and_name_each_once)
{
    Page pages{{.limit = 10, .last = {}}};
    pages.add({"b", "d"}, false, std::identity{});
    pages.add({"a", "b", "c"}, false, std::identity{});
    const auto page = pages.take();
    EXPECT_EQ(page.entries, (Names{"a", "b", "c", "d"}));
    EXPECT_FALSE(page.more);
}

TEST(JoinedPages, end_at_the_limit)
{
    Page pages{{.limit = 2, .last = {}}};
    pages.add({"b", "d"}, false, std::identity{});
    pages.add({"a"}, false, std::identity{});
    const auto page = pages.take();
    EXPECT_EQ(page.entries, (Names{"a", "b"}));
    EXPECT_TRUE(page.more);
}

TEST(JoinedPages, end_where_one_list_is_not_known_any_further)
{
    Page pages{{.limit = 10, .last = {}}};
    pages.add({"a", "c"}, true, std::identity{});  // there may be a "d"
    pages.add({"b", "e"}, false, std::identity{});
    const auto page = pages.take();
    EXPECT_EQ(page.entries, (Names{"a", "b", "c"}));
    EXPECT_TRUE(page.more);
}

TEST(JoinedPages, go_on_while_one_list_does)
{
    Page pages{{.limit = 2, .last = {}}};
    pages.add({"a", "b"}, true, std::identity{});
    pages.add({}, false, std::identity{});
    EXPECT_TRUE(pages.take().more);
}

TEST(JoinedPages, begin_after_the_last_page_also_where_a_list_does_not)
{
    Page pages{{.limit = 1, .last = "b"}};
    pages.add({"a", "b", "c"}, false, std::identity{});
    const auto page = pages.take();
    EXPECT_EQ(page.entries, Names{"c"});
    EXPECT_FALSE(page.more);
}

TEST(JoinedPages, of_upstreams_in_an_order_of_their_own_lose_nothing)
{
    Page pages{{.limit = 10, .last = {}}};
    pages.add({"z", "m"}, true, std::identity{});
    pages.add({"a"}, false, std::identity{});
    EXPECT_EQ(pages.take().entries, (Names{"a", "m", "z"}));
}

}  // namespace
}  // namespace entrepot

#include "upkeep/jobs/cron.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace entrepot {
namespace {

std::vector<std::string> times(std::string_view text, std::string_view after, int count)
{
    const auto cron = Cron::parse(text);
    if (!cron) return {cron.error().message()};
    std::vector<std::string> found;
    Micros at = *parse_time(after);
    for (int i = 0; i < count; ++i) {
        at = cron->next(at);
        found.push_back(rfc3339(at));
    }
    return found;
}
using Texts = std::vector<std::string>;

std::string refusal(std::string_view text)
{
    const auto cron = Cron::parse(text);
    return cron ? "" : cron.error().message();
}

TEST(Cron, comes_each_hour_day_and_week)
{
    EXPECT_EQ(times("0 0 * * * *", "2026-11-22T10:00:00Z", 2), (Texts{"2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"}));
    EXPECT_EQ(
        times("0 0 2 * * *", "2026-11-22T01:59:59.5Z", 2), (Texts{"2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"})
    );
    // The 22nd is a Sunday.
    EXPECT_EQ(times("0 0 0 * * 0", "2026-11-21T10:00:00Z", 2), (Texts{"2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"}));
}

TEST(Cron, understands_lists_ranges_steps_and_names)
{
    EXPECT_EQ(
        times("30 5,10-12 3 * * *", "2026-11-22T00:00:00Z", 5),
        (Texts{
            "2026-11-22T03:05:30Z",
            "2026-11-22T03:10:30Z",
            "2026-11-22T03:11:30Z",
            "2026-11-22T03:12:30Z",
            "2026-11-23T03:05:30Z"
        })
    );
    EXPECT_EQ(
        times("0 */25 7 * * *", "2026-11-22T00:00:00Z", 4),
        (Texts{"2026-11-22T07:00:00Z", "2026-11-22T07:25:00Z", "2026-11-22T07:50:00Z", "2026-11-23T07:00:00Z"})
    );
    EXPECT_EQ(
        times("0 50/5 7 * * *", "2026-11-22T00:00:00Z", 3),
        (Texts{"2026-11-22T07:50:00Z", "2026-11-22T07:55:00Z", "2026-11-23T07:50:00Z"})
    );
    EXPECT_EQ(
        times("0 0 0 ? JAN-feb MON", "2026-11-22T00:00:00Z", 2), (Texts{"2027-01-04T00:00:00Z", "2027-01-11T00:00:00Z"})
    );
    EXPECT_EQ(times("  0   0 0 1 1 *  ", "2026-11-22T00:00:00Z", 1), Texts{"2027-01-01T00:00:00Z"});
}

TEST(Cron, either_kind_of_day_is_enough_where_both_are_given)
{
    EXPECT_EQ(
        times("0 0 0 13 * FRI", "2026-11-07T00:00:00Z", 3),
        (Texts{"2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z"})
    );
    EXPECT_EQ(times("0 0 0 */10 * FRI", "2026-11-07T00:00:00Z", 1), Texts{"2026-12-11T00:00:00Z"})
        << "a star that steps restricts, and both must fit";
}

TEST(Cron, days_that_are_rare_are_found)
{
    EXPECT_EQ(
        times("0 0 0 29 2 *", "2026-11-22T00:00:00Z", 2), (Texts{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"})
    );
    EXPECT_EQ(times("0 0 0 29 2 *", "2096-03-01T00:00:00Z", 1), Texts{"2104-02-29T00:00:00Z"});
    EXPECT_EQ(times("0 0 0 */14 2 MON", "2027-02-15T00:00:00Z", 1), Texts{"2038-02-01T00:00:00Z"});
    EXPECT_EQ(
        times("0 0 0 31 * *", "2026-11-22T00:00:00Z", 2), (Texts{"2026-12-31T00:00:00Z", "2027-01-31T00:00:00Z"})
    );
}

TEST(Cron, nonsense_is_refused_with_the_name_of_the_field)
{
    EXPECT_NE(refusal("0 60 * * * *").find("minutes"), std::string::npos);
    EXPECT_NE(refusal("0 0 24 * * *").find("hours"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 0 * *").find("days of the month"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 * 13 *").find("months"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 * * 7").find("days of the week"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 * * funday").find("funday"), std::string::npos);
    for (const auto* text :
         {"",
          "* * * * *",
          "0 0 0 * * * *",
          "@daily",
          "0 5-1 * * * *",
          "0 */0 * * * *",
          "0 1, * * * *",
          "0 ,1 * * * *",
          "0 1-2-3 * * * *",
          "0 1/2/3 * * * *",
          "0 -1 * * * *",
          "0 +1 * * * *",
          "0 99999999999999999999 * * * *",
          "0 */99 * * * *",
          "0 1- * * * *"}) {
        EXPECT_NE(refusal(text), "") << text;
    }
    EXPECT_NE(refusal(std::string(300, '*')), "");
}

TEST(Cron, what_never_comes_or_comes_too_often_is_refused)
{
    EXPECT_NE(refusal("0 0 0 30 2 *").find("never"), std::string::npos);
    EXPECT_NE(refusal("0 0 0 31 4,6,9,11 *").find("never"), std::string::npos);
    EXPECT_EQ(refusal("0 0 0 30 2 MON"), "") << "Mondays come";
    for (const auto* text : {"* * * * * *", "*/10 * * * * *", "0,30 * * * * *", "0-5 * * * * *"}) {
        EXPECT_NE(refusal(text).find("once a minute"), std::string::npos) << text;
    }
    EXPECT_EQ(refusal("59 * * * * *"), "");
}

}  // namespace
}  // namespace entrepot

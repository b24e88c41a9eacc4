#include "api/management/idempotency.hpp"

#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <map>

namespace entrepot {
namespace {

class MemoryKeyring final : public IdempotencyCatalog {
public:
    std::map<std::pair<std::int64_t, std::string>, Entry> entries;
    bool forgetful = false;  // finish() fails

    Task<std::optional<Entry>>
    begin(std::int64_t user_id, std::string key, std::string request, Micros, Limits) override
    {
        const auto [entry, is_new] = entries.try_emplace({user_id, key}, Entry{std::move(request), 0, {}});
        if (is_new) co_return std::nullopt;
        co_return entry->second;
    }
    Task<> finish(std::int64_t user_id, std::string key, unsigned status, std::string answer) override
    {
        if (forgetful) co_return fail(Errc::unavailable, "away");
        auto& entry = entries.at({user_id, key});
        entry.status = status;
        entry.answer = std::move(answer);
        co_return Result<>{};
    }
    Task<> abandon(std::int64_t user_id, std::string key) override
    {
        entries.erase({user_id, key});
        co_return Result<>{};
    }
    Task<> remove_before(Micros) override { co_return Result<>{}; }
};

class IdempotencyTest : public testing::Test {
protected:
    Task<Response> carry_out()
    {
        ++carried_out;
        if (failure) co_return std::unexpected{*failure};
        Response response;
        response.status = 201;
        response.add("Location", "/api/v2.0/robots/7");
        response.body = std::string{R"({"secret":"hunter2hunter2"})"};
        co_return response;
    }
    Result<Response> once(std::string request = "r", std::string key = "k")
    {
        return run_to_end(idempotency.once(
            {.user_id = 1, .key = std::move(key), .request = std::move(request)}, [this] { return carry_out(); }
        ));
    }

    FakeClock clock;
    SystemRandom random;
    MemoryKeyring catalog;
    Idempotency idempotency{catalog, MasterKey::parse(std::string(64, 'a')).value(), random, clock};
    int carried_out = 0;
    std::optional<Error> failure;
};

TEST_F(IdempotencyTest, answers_a_repetition_with_the_first_answer)
{
    const auto first = once();
    const auto second = once();
    ASSERT_TRUE(first);
    ASSERT_TRUE(second);
    EXPECT_EQ(carried_out, 1);
    EXPECT_EQ(second->status, 201U);
    EXPECT_TRUE(second->headers.contains("Location: /api/v2.0/robots/7\r\n"));
    EXPECT_TRUE(second->headers.contains("Idempotency-Replayed: true\r\n"));
    EXPECT_EQ(std::get<std::string>(second->body), std::get<std::string>(first->body));
}

TEST_F(IdempotencyTest, keeps_no_answer_in_clear)
{
    ASSERT_TRUE(once());
    const auto& kept = catalog.entries.begin()->second.answer;
    EXPECT_FALSE(kept.empty());
    EXPECT_FALSE(kept.contains("hunter2"));
    EXPECT_FALSE(kept.contains("robots"));
}

TEST_F(IdempotencyTest, does_not_pass_one_key_s_answer_for_another_s)
{
    ASSERT_TRUE(once());
    const auto stolen = catalog.entries.begin()->second;
    catalog.entries[{1, "other"}] = stolen;
    EXPECT_EQ(once("r", "other").error().code(), Errc::corrupt);
}

TEST_F(IdempotencyTest, refuses_another_request_under_the_same_key)
{
    ASSERT_TRUE(once());
    EXPECT_EQ(once("another").error().code(), Errc::unprocessable);
    EXPECT_EQ(carried_out, 1);
}

TEST_F(IdempotencyTest, refuses_a_repetition_while_the_first_is_under_way)
{
    catalog.entries[{1, "k"}] = {.request = "r", .status = 0, .answer = {}};
    EXPECT_EQ(once().error().code(), Errc::conflict);
    EXPECT_EQ(carried_out, 0);
}

TEST_F(IdempotencyTest, carries_out_again_what_failed)
{
    failure = Error{Errc::unavailable, "away"};
    EXPECT_FALSE(once());
    failure.reset();
    EXPECT_TRUE(once());
    EXPECT_EQ(carried_out, 2);
}

TEST_F(IdempotencyTest, answers_although_the_answer_could_not_be_kept)
{
    catalog.forgetful = true;
    const auto answer = once();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 201U);
}

TEST(IdempotencyKey, is_short_and_visible)
{
    EXPECT_TRUE(Idempotency::check_key("8e03978e-40d5-43dd-bc93-6894a57f9324"));
    EXPECT_FALSE(Idempotency::check_key(""));
    EXPECT_FALSE(Idempotency::check_key("a b"));
    EXPECT_FALSE(Idempotency::check_key("\xc3\xa4"));
    EXPECT_FALSE(Idempotency::check_key(std::string(256, 'a')));
}

}  // namespace
}  // namespace entrepot

#include "agent/zone_copies.hpp"

#include "agent/test_image.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

class ZoneCopiesTest : public ::testing::Test {
protected:
    // Of the image's blobs, what is known last; -1: nothing.
    std::vector<int> known(const TestImage& of)
    {
        std::vector<int> all;
        for (const auto& blob : of.descriptor.blobs()) {
            const auto found = heard.find(blob.digest);
            all.push_back(found == heard.end() || !found->second ? -1 : static_cast<int>(*found->second));
        }
        return all;
    }

    ZoneCopies::Time now{};
    std::map<Sha256, std::optional<std::uint32_t>> heard;
    ZoneCopies copies{[this](const Sha256& blob, std::optional<std::uint32_t> others) { heard[blob] = others; }, 24h};
    // The content of blobs goes by the first number and their place, so both images begin with the same one.
    TestImage image{1, {100'000, 200'000}, 1};
    TestImage other{1, {100'000, 300'000}, 1};
};

TEST_F(ZoneCopiesTest, are_those_of_the_image_that_most_have)
{
    ASSERT_EQ(image.descriptor.blobs()[0].digest, other.descriptor.blobs()[0].digest);
    ASSERT_NE(image.descriptor.blobs()[1].digest, other.descriptor.blobs()[1].digest);
    copies.said(image.descriptor, 0);
    EXPECT_EQ(known(image), (std::vector{0, 0}));
    EXPECT_EQ(known(other), (std::vector{0, -1}));
    copies.said(other.descriptor, 2);
    EXPECT_EQ(known(image), (std::vector{2, 0}));
    EXPECT_EQ(known(other), (std::vector{2, 2}));
    copies.said(image.descriptor, 3);
    copies.said(other.descriptor, 0);
    EXPECT_EQ(known(image), (std::vector{3, 3}));
    EXPECT_EQ(known(other), (std::vector{3, 0}));
}

TEST_F(ZoneCopiesTest, are_forgotten_when_they_have_been_out_of_date_for_long)
{
    copies.said(image.descriptor, 0);
    copies.said(other.descriptor, 1);
    now += 48h;
    copies.look(now);
    EXPECT_EQ(known(image), (std::vector{1, 0})) << "it is as it was said";
    copies.out_of_date(image.id(), now);
    copies.out_of_date(SwarmId{}, now);
    now += 23h;
    copies.out_of_date(image.id(), now);
    copies.out_of_date(other.id(), now);
    copies.look(now);
    EXPECT_EQ(known(image), (std::vector{1, 0}));
    now += 1h;
    copies.look(now);
    EXPECT_EQ(known(image), (std::vector{1, -1}));
    copies.said(other.descriptor, 0);
    now += 48h;
    copies.look(now);
    EXPECT_EQ(known(other), (std::vector{0, 0})) << "it was said again";
    copies.out_of_date(other.id(), now);
    now += 24h;
    copies.look(now);
    EXPECT_EQ(known(image), (std::vector{-1, -1}));
    EXPECT_EQ(known(other), (std::vector{-1, -1}));
}

}  // namespace
}  // namespace entrepot

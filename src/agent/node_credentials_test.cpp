#include "agent/node_credentials.hpp"

#include "agent/test_folder.hpp"
#include "core/random.hpp"
#include "swarm/identity/node_authority.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace entrepot {
namespace {

namespace fs = std::filesystem;

class CredentialsOfANode : public ::testing::Test {
protected:
    std::string certificate(const NodeKey& key)
    {
        return authority.issue(key.request().value(), {.name = "worker-1", .zone = "a"}, random, clock.now())
            .value()
            .pem;
    }
    NodeEnrolment enrolment(const NodeKey& key)
    {
        NodeEnrolment given;
        given.certificate = certificate(key);
        given.authorities = {authority.certificate_pem()};
        given.ticket_keys.resize(2);
        given.ticket_keys[1].bytes[31] = 0xa5;
        given.control_port = 7400;
        return parse_enrolment(enrolment_json(given), "the-registry").value();
    }

    SystemClock clock;
    SystemRandom random;
    NodeAuthority authority = NodeAuthority::create(random, clock.now()).value();
    TestFolder folder;
};

TEST_F(CredentialsOfANode, KeepTheirKey)
{
    const auto first = NodeCredentials::open(folder.path() / "agent", random).value();
    const auto again = NodeCredentials::open(folder.path() / "agent", random).value();
    EXPECT_EQ(first.key().id(), again.key().id());
    EXPECT_FALSE(again.enrolment().has_value());
    const auto status = fs::status(folder.path() / "agent" / "node-key.pem");
    EXPECT_EQ(status.permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(std::distance(fs::directory_iterator{folder.path() / "agent"}, {}), 1) << "no drafts";
}

TEST_F(CredentialsOfANode, NeverOverwriteAKeyThatIsNone)
{
    std::ofstream{folder.path() / "node-key.pem"} << "precious";
    EXPECT_EQ(NodeCredentials::open(folder.path(), random).error().code(), Errc::corrupt);
    std::string kept;
    std::ifstream{folder.path() / "node-key.pem"} >> kept;
    EXPECT_EQ(kept, "precious");
}

TEST_F(CredentialsOfANode, ComeBackAfterARestart)
{
    auto before = NodeCredentials::open(folder.path(), random).value();
    const auto given = enrolment(before.key());
    EXPECT_EQ(given.control_host, "the-registry");
    EXPECT_TRUE(given.holds(clock.now()));
    EXPECT_FALSE(given.holds(given.ends));
    ASSERT_TRUE(NodeCredentials::keep(folder.path(), enrolment_json(given)).has_value());
    ASSERT_TRUE(NodeCredentials::keep(folder.path(), enrolment_json(given)).has_value());
    const auto after = NodeCredentials::open(folder.path(), random).value();
    EXPECT_EQ(after.enrolment(), given);
    EXPECT_EQ(after.tls(given).value()->own_id(), before.key().id());
}

TEST_F(CredentialsOfANode, AreNotThoseOfAnotherKey)
{
    const auto other = NodeKey::generate().value();
    ASSERT_TRUE(NodeCredentials::keep(folder.path(), enrolment_json(enrolment(other))).has_value());
    const auto opened = NodeCredentials::open(folder.path(), random);
    ASSERT_TRUE(opened.has_value());
    EXPECT_FALSE(opened->enrolment().has_value());
}

TEST_F(CredentialsOfANode, TakeAnotherCertificateAndOtherAuthorities)
{
    const auto credentials = NodeCredentials::open(folder.path(), random).value();
    const auto before = enrolment(credentials.key());
    const auto fresh = certificate(credentials.key());
    const auto same = renewed_enrolment(before, fresh, {}).value();
    EXPECT_EQ(same.certificate, fresh);
    EXPECT_EQ(same.authorities, before.authorities);
    const auto second = NodeAuthority::create(random, clock.now()).value();
    const auto both = renewed_enrolment(before, fresh, authority.certificate_pem() + second.certificate_pem()).value();
    EXPECT_EQ(both.authorities.size(), 2U);
    EXPECT_TRUE(credentials.tls(both).has_value());
    EXPECT_EQ(renewed_enrolment(before, "nonsense", {}).error().code(), Errc::bad_request);
}

TEST_F(CredentialsOfANode, AreReadWithoutTrust)
{
    const auto good = enrolment_json(enrolment(NodeKey::generate().value()));
    EXPECT_TRUE(parse_enrolment(good, {}).has_value());
    const auto without = [&](std::string_view what) {
        auto bad = good;
        bad.replace(bad.find(what), what.size(), "x");
        return bad;
    };
    for (const std::string_view what : {"{\"certificate\"", "BEGIN", "port", "a5", "7400"})
        EXPECT_EQ(parse_enrolment(without(what), {}).error().code(), Errc::bad_request) << what;
    for (const std::string_view bad : {"", "[]", "{}", "{\"control\":{\"port\":1}}"})
        EXPECT_EQ(parse_enrolment(bad, {}).error().code(), Errc::bad_request) << bad;
}

}  // namespace
}  // namespace entrepot

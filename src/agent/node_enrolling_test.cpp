#include "agent/node_enrolling.hpp"

#include "agent/test_folder.hpp"
#include "client/test_peer.hpp"
#include "core/random.hpp"
#include "core/run_to_end.hpp"
#include "swarm/identity/node_authority.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>

namespace entrepot {
namespace {

// A registry that gives one answer, and remembers what it was asked.
class ARegistry : public ::testing::Test {
protected:
    void answers(int status, std::string body, Micros its_time)
    {
        peer_ = std::make_unique<TestPeer>([=, this](int, TestPeer::Link& link) {
            asked_ = link.request();
            link.say(
                "HTTP/1.1 " + std::to_string(status) + " x\r\nDate: " + http_date(its_time) +
                "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body
            );
        });
    }
    void answers(int status, std::string body) { answers(status, std::move(body), clock_.now()); }
    std::string enrolment_of(Micros at)
    {
        NodeEnrolment given;
        given.certificate =
            authority_.issue(key_.request().value(), {.name = "worker-1", .zone = {}}, random_, at).value().pem;
        given.authorities = {authority_.certificate_pem()};
        given.control_port = 7400;
        return enrolment_json(given);
    }
    Result<NodeEnrolment> enrol()
    {
        auto client = HttpClient::create({}).value();
        NodeApplication application;
        application.registry = peer_->url();
        application.token_file = folder_.path() / "token";
        application.name = "worker-1";
        application.zone = "zone \"a\"";
        application.request = key_.request().value();
        auto result = run_to_end(enrol_node(client, application, clock_, pool_));
        peer_.reset();
        return result;
    }
    void put_token(std::string_view text) { std::ofstream{folder_.path() / "token"} << text; }

    SystemClock clock_;
    SystemRandom random_;
    asio::thread_pool pool_{1};
    TestFolder folder_;
    NodeKey key_ = NodeKey::generate().value();
    NodeAuthority authority_ = NodeAuthority::create(random_, clock_.now()).value();
    std::unique_ptr<TestPeer> peer_;
    std::string asked_;
};

TEST_F(ARegistry, CertifiesWhoShowsAToken)
{
    put_token("\n the-token \n");
    answers(200, enrolment_of(clock_.now()));
    const auto enrolment = enrol();
    ASSERT_TRUE(enrolment.has_value()) << enrolment.error().message();
    EXPECT_EQ(enrolment->control_host, "127.0.0.1") << "an empty one is the registry's";
    EXPECT_EQ(enrolment->control_port, 7400);
    EXPECT_TRUE(asked_.starts_with("POST /swarm/v1/nodes HTTP/1.1\r\n")) << asked_;
    EXPECT_NE(
        asked_.find("{\"token\":\"the-token\",\"name\":\"worker-1\",\"zone\":\"zone \\\"a\\\"\""), std::string::npos
    );
}

TEST_F(ARegistry, IsNotAskedWithoutAToken)
{
    answers(200, enrolment_of(clock_.now()));
    EXPECT_EQ(enrol().error().code(), Errc::unauthorized);
    EXPECT_TRUE(asked_.empty());
}

TEST_F(ARegistry, SaysWhyNot)
{
    put_token("the-token");
    const std::vector<std::pair<int, Errc>> meanings{
        {400, Errc::bad_request},
        {401, Errc::unauthorized},
        {404, Errc::unsupported},
        {503, Errc::unavailable},
        {307, Errc::unavailable},
    };
    for (const auto& [status, code] : meanings) {
        answers(status, R"({"errors":[{"code":"X","message":"because of this"}]})");
        const auto refused = enrol();
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().code(), code);
        EXPECT_EQ(refused.error().detail(), std::to_string(status) + " because of this");
    }
    answers(200, "{}");
    EXPECT_EQ(enrol().error().code(), Errc::bad_request);
}

TEST_F(ARegistry, WhoseClockIsFarFromOursIsSpokenOf)
{
    put_token("the-token");
    const auto three_hours = Micros{3} * 3600 * 1'000'000;
    answers(401, "", clock_.now() + three_hours + 30'000'000);
    EXPECT_NE(enrol().error().message().find("3 h 0 min behind"), std::string::npos);
    const auto yesterday = clock_.now() - 10 * three_hours - 30'000'000;
    answers(200, enrolment_of(yesterday), yesterday);
    const auto expired = enrol();
    EXPECT_EQ(expired.error().code(), Errc::unavailable);
    EXPECT_NE(expired.error().message().find("30 h 0 min ahead"), std::string::npos) << expired.error().message();
}

}  // namespace
}  // namespace entrepot

#include "api/management/swarm_images_api.hpp"

#include "delivery/stored_bytes.hpp"
#include "tests/support/access_entries_of.hpp"
#include "tests/support/authentication_fixture.hpp"
#include "tests/support/fake_request.hpp"
#include "tests/support/swarm_pictures.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

std::string digest_with(std::uint8_t number)
{
    Sha256 manifest;
    manifest.bytes[0] = number;
    return named_by(manifest).text();
}

// Alice administers the platform.
class SwarmImagesApiTest : public AuthenticationFixture {
protected:
    SwarmImagesApiTest()
    {
        access.more.platform_grants = {grant_to(principal_key(alice), role::platform_admin, ObjectKind::platform)};
        ++accounts.version;
        noticed();
        api.add_to(router);
    }
    static Task<Response> answered(ApiRouter& by, const Request& request, ByteSource& body)
    {
        co_return co_await by.handle(request, body);
    }
    Response get(const std::string& path)
    {
        StringSource source{{}};
        FakeRequest request{Method::get, "/api/v2.0/swarm/" + path};
        request.with_basic("alice", "Secret123");
        return *run_to_end(answered(router, request, source));
    }
    static json::value value_of(const Response& response) { return json::parse(std::get<std::string>(response.body)); }
    void show(std::vector<SwarmImageView> images) { view.show(picture_of(std::move(images))); }

    // One event, or what is sent where there is none; empty at the end.
    static std::string next(StreamedBody& stream)
    {
        std::string piece(64 * 1024, '\0');
        const auto count = run_to_end(stream.read(std::as_writable_bytes(std::span{piece})));
        piece.resize(*count);
        return piece;
    }
    std::shared_ptr<StreamedBody> follow(const std::string& query = {})
    {
        const auto response = get("stream" + query);
        EXPECT_EQ(response.status, 200U);
        EXPECT_EQ(response.header("Content-Type"), "text/event-stream");
        auto stream = std::get<std::shared_ptr<StreamedBody>>(response.body);
        EXPECT_EQ(next(*stream), "retry: 2000\n\n");
        return stream;
    }
    static json::object data_of(const std::string& event, std::string_view name)
    {
        const auto head = "event: " + std::string{name} + "\ndata: ";
        EXPECT_TRUE(event.starts_with(head)) << event;
        return json::parse(std::string_view{event}.substr(head.size(), event.find("\n\n") - head.size())).as_object();
    }

    SwarmRollPtr roll = roll_of({member_of("n1", "a", 10, 420), member_of("n2", "b", 10, 1000)});
    SwarmView view{"one", [this](const SwarmId& swarm) { view.show(swarm, roll); }};
    MemorySessions session_catalog;
    Sessions sessions{session_catalog, authenticator, clock, random, [] { return std::chrono::minutes{60}; }};
    Gate gate{authenticator, sessions, policy, "entrepot", ""};
    ApiRouter router{gate};
    SwarmImagesApi api{{.view = &view, .policy = policy, .clock = clock, .most_streams = 2}};
    const std::vector<SwarmRepository> web{{10, "shop/web"}};
};

TEST_F(SwarmImagesApiTest, lists_images_by_pages_states_and_repositories)
{
    show({
        image_view(1, web, {group_of(10, "a", 3, 40), group_of(10, "b", 1, 100)}),
        image_view(2, {{20, "shop/api"}}, {group_of(20, "a", 1, 100)}),
        image_view(3, {{20, "shop/api"}}, {}),
    });
    const auto page = get("images?page_size=2");
    EXPECT_EQ(page.header("X-Total-Count"), "3");
    ASSERT_EQ(value_of(page).as_array().size(), 2U);
    const auto first = value_of(page).as_array().at(0).as_object();
    EXPECT_EQ(first.at("digest").as_string(), digest_with(1));
    EXPECT_EQ(first.at("instance").as_string(), "one");
    EXPECT_EQ(first.at("members").to_number<int>(), 4);
    EXPECT_EQ(first.at("tenths").as_array().at(4).to_number<int>(), 3);
    EXPECT_EQ(first.at("zones").as_array().size(), 2U);
    EXPECT_EQ(value_of(get("images?state=complete")).as_array().size(), 1U);
    EXPECT_EQ(value_of(get("images?state=idle&repository=shop/api")).as_array().size(), 1U);
    EXPECT_EQ(value_of(get("images?repository=shop/none")).as_array().size(), 0U);
    for (const auto* query : {"state=odd", "page=0", "q=a=b", "sort=digest", "page_size=101"})
        EXPECT_EQ(get("images?" + std::string{query}).status, 400U) << query;
}

TEST_F(SwarmImagesApiTest, shows_an_image_and_its_nodes)
{
    show({image_view(1, web, {group_of(10, "a", 1, 42), group_of(10, "b", 1, 100)})});
    const auto shown = value_of(get("images/" + digest_with(1))).as_object();
    EXPECT_EQ(shown.at("slowest").as_object().at("name").as_string(), "n1");
    const auto nodes = get("images/" + digest_with(1) + "/nodes?zone=b");
    EXPECT_EQ(nodes.header("X-Total-Count"), "1");
    EXPECT_EQ(value_of(nodes).as_array().at(0).as_object().at("state").as_string(), "complete");
    EXPECT_EQ(get("images/" + digest_with(1) + "/nodes?state=idle").status, 400U);
    EXPECT_EQ(get("images/" + digest_with(2)).status, 404U);
    EXPECT_EQ(get("images/nonsense/nodes").status, 404U);
}

TEST_F(SwarmImagesApiTest, streams_everything_first_and_then_what_changes)
{
    show({image_view(1, web, {group_of(10, "a", 3, 40)}), image_view(2, web, {})});
    const auto stream = follow();
    auto state = data_of(next(*stream), "state");
    EXPECT_EQ(state.at("instance").as_string(), "one");
    EXPECT_EQ(state.at("images").as_array().size(), 2U);
    EXPECT_FALSE(state.at("images").as_array().at(0).as_object().contains("slowest"));
    clock.advance(1s);
    show({image_view(1, web, {group_of(10, "a", 3, 90)}), image_view(3, web, {})});
    const auto news = next(*stream);
    EXPECT_EQ(data_of(news, "swarm").at("half_way").to_number<int>(), 90);
    EXPECT_TRUE(news.contains("event: gone\ndata: {\"swarm\":\"02"));
    EXPECT_EQ(news.find(digest_with(2)), news.npos);
    EXPECT_NE(news.find(digest_with(3)), news.npos);
    // Nothing has changed: only a comment, when one is due.
    clock.advance(15s);
    EXPECT_EQ(next(*stream), ":\n\n");
    stream->stop();
    EXPECT_EQ(next(*stream), "");
}

TEST_F(SwarmImagesApiTest, streams_of_some_images_name_their_slowest_node)
{
    show({image_view(1, web, {group_of(10, "a", 1, 42)}), image_view(2, web, {group_of(10, "a", 1, 42)})});
    const auto stream = follow("?image=" + digest_with(1) + "," + digest_with(9));
    const auto images = data_of(next(*stream), "state").at("images").as_array();
    ASSERT_EQ(images.size(), 1U);
    EXPECT_EQ(images.at(0).as_object().at("slowest").as_object().at("name").as_string(), "n1");
    EXPECT_EQ(get("stream?image=odd").status, 400U);
    EXPECT_EQ(get("stream?seconds=0").status, 400U);
}

TEST_F(SwarmImagesApiTest, streams_end_with_their_time_and_their_readers_credential)
{
    const auto brief = follow("?seconds=1");
    const auto other = follow();
    EXPECT_EQ(api.open_streams(), 2);
    EXPECT_EQ(get("stream").status, 503U);
    data_of(next(*brief), "state");
    clock.advance(1s);
    EXPECT_EQ(next(*brief), "");
    change_password("Another123");
    EXPECT_EQ(next(*other), "");
}

TEST_F(SwarmImagesApiTest, streams_leave_out_what_a_slow_reader_has_missed)
{
    show({image_view(1, web, {group_of(10, "a", 3, 0)})});
    const auto stream = follow();
    data_of(next(*stream), "state");
    for (std::size_t percent = 1; percent < 60; ++percent) {
        show({image_view(1, web, {group_of(10, "a", 3, percent)})});
        clock.advance(1s);
    }
    const auto news = next(*stream);
    EXPECT_EQ(data_of(news, "swarm").at("half_way").to_number<int>(), 59);
    EXPECT_EQ(news.find("event:", 1), news.npos) << "one state, and no more";
}

}  // namespace
}  // namespace entrepot

#include "api/documentation/documentation.hpp"

#include "api/documentation/embedded_files.hpp"
#include "tests/support/fake_request.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace entrepot {
namespace {

std::string value_of(const Response& response, std::string_view name)
{
    const auto start = response.headers.find(std::string{name} + ": ");
    if (start == std::string::npos) return {};
    const auto from = start + name.size() + 2;
    return response.headers.substr(from, response.headers.find("\r\n", from) - from);
}

TEST(Documentation, HasTheContractInBothForms)
{
    EXPECT_TRUE(openapi_yaml().starts_with("openapi: 3.1.0\n"));
    const auto document = boost::json::parse(openapi_json());
    EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
    // A quoted number stays a text, a plain one becomes a number.
    EXPECT_EQ(document.at("info").at("version").as_string(), "2.0");
    const auto& page_size = document.at("components").at("parameters").at("pageSize").at("schema");
    EXPECT_EQ(page_size.at("maximum").as_int64(), 100);
    EXPECT_TRUE(document.at("paths").as_object().contains("/projects"));
}

TEST(Documentation, ThePageRunsItsOwnScriptAndNoOther)
{
    const Documentation documentation;
    const auto page = documentation.page(FakeRequest{Method::get, "/api/docs"});
    EXPECT_EQ(page.status, 200U);
    EXPECT_EQ(page.body_length(), docs_page().size());
    const auto policy = value_of(page, "Content-Security-Policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(docs_page().find("<script src"), std::string_view::npos);
    EXPECT_EQ(docs_page().find(" onclick="), std::string_view::npos);
}

TEST(Documentation, ThePageIsSentOnce)
{
    const Documentation documentation;
    const auto first = documentation.page(FakeRequest{Method::get, "/api/docs"});
    const auto again =
        documentation.page(FakeRequest{Method::get, "/api/docs"}.with("If-None-Match", value_of(first, "ETag")));
    EXPECT_EQ(again.status, 304U);
    EXPECT_EQ(again.body_length(), 0U);
}

TEST(Documentation, AHeadSaysHowLongThePageIs)
{
    const auto head = Documentation{}.page(FakeRequest{Method::head, "/api/docs"});
    EXPECT_EQ(head.announced_length, docs_page().size());
    EXPECT_EQ(head.body_length(), 0U);
    EXPECT_EQ(Documentation{}.page(FakeRequest{Method::post, "/api/docs"}).status, 405U);
}

}  // namespace
}  // namespace entrepot

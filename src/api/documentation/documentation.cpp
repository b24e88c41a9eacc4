#include "api/documentation/documentation.hpp"

#include "api/documentation/embedded_files.hpp"
#include "api/error_answer.hpp"
#include "core/bytes.hpp"
#include "oci/digest.hpp"

#include <openssl/sha.h>

#include <array>
#include <stdexcept>

namespace entrepot {
namespace {

// What stands between <tag> and </tag>, as a source of a Content-Security-Policy (CSP level 2, "hash-source").
std::string hash_source(std::string_view page, std::string_view tag)
{
    const auto open = "<" + std::string{tag} + ">";
    const auto begin = page.find(open);
    const auto end = page.find("</" + std::string{tag} + ">");
    if (begin == std::string_view::npos || end == std::string_view::npos || page.find(open, end) != page.npos) {
        throw std::logic_error{"the page has not exactly one <" + std::string{tag} + ">"};
    }
    const auto text = page.substr(begin + open.size(), end - begin - open.size());
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
    return "'sha256-" + to_base64(std::as_bytes(std::span{hash})) + "'";
}

}  // namespace

Documentation::Documentation()
    : yaml_{file(openapi_yaml(), "application/yaml")},
      json_{file(openapi_json(), "application/json")},
      page_{file(docs_page(), "text/html; charset=utf-8")},
      page_policy_{
          "default-src 'none'; script-src " + hash_source(docs_page(), "script") + "; style-src " +
          hash_source(docs_page(), "style") +
          "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
      }
{
}

void Documentation::add_to(ApiRouter& router)
{
    router.get("openapi.yaml", [this](ApiCall call) { return serve(std::move(call), yaml_); }, ApiAudience::anyone);
    router.get("openapi.json", [this](ApiCall call) { return serve(std::move(call), json_); }, ApiAudience::anyone);
}

Response Documentation::page(const Request& request) const
{
    if (!is_read(request.method)) return method_not_allowed("GET, HEAD");
    auto response = answer(page_, request);
    response.add("Content-Security-Policy", page_policy_)
        .add("Referrer-Policy", "no-referrer")
        .add("X-Frame-Options", "DENY");
    return response;
}

Documentation::File Documentation::file(std::string_view bytes, std::string_view media_type)
{
    return {
        std::make_shared<const std::string>(bytes),
        std::string{media_type},
        "\"" + std::string{digest_of(bytes).hex()} + "\"",
    };
}

Response Documentation::answer(const File& file, const Request& request)
{
    Response response;
    response.add("ETag", file.etag).add("Cache-Control", "no-cache");
    if (request.header("if-none-match") == file.etag) {
        response.status = 304;
        return response;
    }
    response.add("Content-Type", file.media_type);
    response.body = MemoryRange{file.bytes, 0, file.bytes->size()};
    if (request.method == Method::head) {
        response.announced_length = file.bytes->size();
        response.body = std::monostate{};
    }
    return response;
}

Task<Response> Documentation::serve(ApiCall call, File file)
{
    co_return answer(file, call.request);
}

}  // namespace entrepot

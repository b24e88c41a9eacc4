#include "drivers/upstream/aws_signature.hpp"

#include "core/ascii.hpp"
#include "core/bytes.hpp"
#include "oci/digest.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace entrepot {
namespace {

std::string hmac(std::string_view key, std::string_view text)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned size = 0;
    HMAC(
        EVP_sha256(),
        key.data(),
        static_cast<int>(key.size()),
        reinterpret_cast<const unsigned char*>(text.data()),
        text.size(),
        hash.data(),
        &size
    );
    return {reinterpret_cast<const char*>(hash.data()), size};
}

std::string hash_of(std::string_view text)
{
    return std::string{digest_of(text).hex()};
}

// "20150830T123600Z", of RFC 3339's "2015-08-30T12:36:00Z".
std::string basic_time(Micros now)
{
    auto text = rfc3339(now);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

// The pairs in the order of their names; they are encoded already.
std::string canonical_query(std::string_view query)
{
    std::vector<std::string> pairs;
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        auto pair = std::string{query.substr(0, end)};
        if (!pair.contains('=')) pair += '=';
        pairs.push_back(std::move(pair));
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    std::ranges::sort(pairs);
    std::string text;
    for (const auto& each : pairs) text += (text.empty() ? "" : "&") + each;
    return text;
}

}  // namespace

std::vector<HttpField> aws_signature(
    const AwsCredentials& credentials,
    std::string_view method,
    const HttpUrl& url,
    const std::vector<HttpField>& fields,
    std::string_view body,
    Micros now
)
{
    const auto time = basic_time(now);
    const auto day = time.substr(0, 8);
    std::map<std::string, std::string> signed_fields{{"host", url.authority()}, {"x-amz-date", time}};
    for (const auto& field : fields) signed_fields[lowered(field.name)] = trimmed(field.value);
    std::string names;
    std::string lines;
    for (const auto& [name, value] : signed_fields) {
        names += (names.empty() ? "" : ";") + name;
        lines += name + ":" + value + "\n";
    }
    const auto question = std::min(url.target.find('?'), url.target.size());
    const auto query = url.target.substr(std::min(question + 1, url.target.size()));
    const auto request = std::string{method} + "\n" + url.target.substr(0, question) + "\n" + canonical_query(query) +
                         "\n" + lines + "\n" + names + "\n" + hash_of(body);
    const auto scope = day + "/" + credentials.region + "/" + credentials.service + "/aws4_request";
    const auto text = "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + hash_of(request);
    auto key = hmac("AWS4" + credentials.secret_key, day);
    for (const auto& part : {credentials.region, credentials.service, std::string{"aws4_request"}})
        key = hmac(key, part);
    const auto signature = to_hex(as_bytes(hmac(key, text)));
    return {
        {"X-Amz-Date", time},
        {"Authorization",
         "AWS4-HMAC-SHA256 Credential=" + credentials.access_key + "/" + scope + ", SignedHeaders=" + names +
             ", Signature=" + signature,
         true},
    };
}

}  // namespace entrepot

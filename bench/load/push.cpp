#include "payload.hpp"
#include "scripts.hpp"

#include <array>
#include <memory>

#include <openssl/evp.h>

namespace entrepot::load {
namespace {

constexpr std::size_t block_bytes = 1024 * 1024;
constexpr std::size_t chunk_bytes = 32 * 1024;

// RFC 9112 section 7.1, in chunks as docker sends them.
std::string in_chunks(std::string_view bytes)
{
    std::string framed;
    for (; !bytes.empty(); bytes.remove_prefix(chunk_bytes)) {
        framed.append("8000\r\n").append(bytes.substr(0, chunk_bytes)).append("\r\n");
    }
    return framed;
}

std::string digest_of_repeated(std::string_view first, std::string_view block, std::size_t repeats)
{
    std::array<unsigned char, 32> sum{};
    auto* context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
    EVP_DigestUpdate(context, first.data(), first.size());
    for (std::size_t i = 0; i < repeats; ++i) EVP_DigestUpdate(context, block.data(), block.size());
    EVP_DigestFinal_ex(context, sum.data(), nullptr);
    EVP_MD_CTX_free(context);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "sha256:";
    for (const auto byte : sum) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

// One blob: POST, then PUT with the body; or POST, PATCH with the body, PUT. Its digest is known before the run begins.
class Push final : public Script {
public:
    Push(const Load& load, const PushOptions& options) : load_(load), options_(options)
    {
        first_ = unique_bytes(block_bytes);
        block_ = unique_bytes(block_bytes);
        const auto repeats = static_cast<std::size_t>(options.mebibytes - 1);
        digest_ = digest_of_repeated(first_, block_, repeats);
        if (options.style == "chunked") {
            first_ = in_chunks(first_);
            block_ = in_chunks(block_);
            last_ = "0\r\n\r\n";
        }
        body_ = {.first = first_, .block = block_, .repeats = repeats, .last = last_};
    }

    const Request* next(bool) override
    {
        request_ = {};
        switch (step_) {
            case Step::post:
                write_head("POST", "/v2/" + options_.repository + "/blobs/uploads/", length_field(0));
                break;
            case Step::patch: write_patch(); break;
            case Step::put: write_put(); break;
            case Step::done: return nullptr;
        }
        request_.head = head_;
        return &request_;
    }

    Verdict answered(const ResponseReader& response) override
    {
        const int expected = step_ == Step::put ? 201 : 202;
        if (response.status() != expected) {
            return {.unit_done = false, .wrong = wrong_status("push", expected, response)};
        }
        location_ = response.location();
        if (step_ == Step::put) {
            step_ = Step::done;
            return {.unit_done = true};
        }
        step_ = step_ == Step::post && options_.style != "put" ? Step::patch : Step::put;
        return {};
    }

    void give_up() override { step_ = Step::done; }

private:
    enum class Step { post, patch, put, done };

    void write_head(std::string_view method, std::string_view path, std::string_view fields)
    {
        head_ = request_head(load_, method, path, options_.token, fields);
    }

    void write_patch()
    {
        const auto form = options_.style == "chunked" ? std::string{"Transfer-Encoding: chunked\r\n"}
                                                      : length_field(body_.wire_length());
        write_head("PATCH", path_in(location_), "Content-Type: application/octet-stream\r\n" + form);
        request_.body = body_;
    }

    void write_put()
    {
        const bool whole = options_.style == "put";
        const auto length = length_field(whole ? body_.wire_length() : 0);
        write_head("PUT", closing_path(location_, digest_), "Content-Type: application/octet-stream\r\n" + length);
        if (whole) request_.body = body_;
    }

    const Load& load_;
    const PushOptions& options_;
    std::string first_;
    std::string block_;
    std::string last_;
    std::string digest_;
    Body body_;
    Step step_ = Step::post;
    std::string location_;
    std::string head_;
    Request request_;
};

}  // namespace

ScriptFactory push_scripts(const Load& load, const PushOptions& options)
{
    return [&load, &options](int) { return std::make_unique<Push>(load, options); };
}

}  // namespace entrepot::load

#include "payload.hpp"
#include "scripts.hpp"

#include <memory>

namespace entrepot::load {
namespace {

struct Blob {
    std::string content;
    std::string digest;
};

Blob blob_of(std::string content)
{
    auto digest = digest_of(content);
    return {.content = std::move(content), .digest = std::move(digest)};
}

std::string descriptor(std::string_view type, const Blob& blob)
{
    return R"({"mediaType":"application/vnd.oci.image.)" + std::string{type} + R"(","digest":")" + blob.digest +
           R"(","size":)" + std::to_string(blob.content.size()) + "}";
}

// Images that exist nowhere yet, five requests each: POST and PUT for the config, the same for the layer, and the
// manifest under a tag of its own. Each goes to the next repository.
class Images final : public Script {
public:
    Images(const Load& load, const ImagesOptions& options, std::size_t connection)
        : load_(load), options_(options), repository_(connection % options.repositories.size())
    {
    }

    const Request* next(bool stopping) override
    {
        if (step_ == Step::config_post) {
            if (stopping) return nullptr;
            begin_image();
        }
        request_ = {};
        switch (step_) {
            case Step::config_post:
            case Step::layer_post: write_post(); break;
            case Step::config_put: write_put(config_); break;
            case Step::layer_put: write_put(layer_); break;
            case Step::manifest: write_manifest(); break;
        }
        request_.head = head_;
        return &request_;
    }

    Verdict answered(const ResponseReader& response) override
    {
        const bool opens = step_ == Step::config_post || step_ == Step::layer_post;
        const int expected = opens ? 202 : 201;
        if (response.status() != expected) {
            return {.unit_done = false, .wrong = wrong_status("image", expected, response)};
        }
        location_ = response.location();
        if (step_ == Step::manifest) {
            step_ = Step::config_post;
            return {.unit_done = true};
        }
        step_ = static_cast<Step>(static_cast<int>(step_) + 1);
        return {};
    }

    void give_up() override { step_ = Step::config_post; }

private:
    enum class Step { config_post, config_put, layer_post, layer_put, manifest };

    void begin_image()
    {
        repository_ = (repository_ + 1) % options_.repositories.size();
        tag_ = unique_name();
        config_ = blob_of(
            R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{"Labels":{"id":")" +
            tag_ + R"("}}})"
        );
        layer_ = blob_of(unique_bytes(options_.layer_bytes));
        manifest_ = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
                    descriptor("config.v1+json", config_) + R"(,"layers":[)" + descriptor("layer.v1.tar+gzip", layer_) +
                    "]}";
    }

    const ImagesOptions::Repository& repository() const { return options_.repositories[repository_]; }

    void write_head(std::string_view method, std::string_view path, std::string_view fields)
    {
        head_ = request_head(load_, method, path, repository().token, fields);
    }

    void write_post() { write_head("POST", "/v2/" + repository().name + "/blobs/uploads/", length_field(0)); }

    void write_put(const Blob& blob)
    {
        const auto fields = "Content-Type: application/octet-stream\r\n" + length_field(blob.content.size());
        write_head("PUT", closing_path(location_, blob.digest), fields);
        request_.body.first = blob.content;
    }

    void write_manifest()
    {
        const auto fields =
            "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n" + length_field(manifest_.size());
        write_head("PUT", "/v2/" + repository().name + "/manifests/" + tag_, fields);
        request_.body.first = manifest_;
    }

    const Load& load_;
    const ImagesOptions& options_;
    std::size_t repository_;
    Step step_ = Step::config_post;
    std::string tag_;
    Blob config_;
    Blob layer_;
    std::string manifest_;
    std::string location_;
    std::string head_;
    Request request_;
};

}  // namespace

ScriptFactory image_scripts(const Load& load, const ImagesOptions& options)
{
    return [&load, &options](int connection) {
        return std::make_unique<Images>(load, options, static_cast<std::size_t>(connection));
    };
}

}  // namespace entrepot::load

#include "oci/artifact_view.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const std::string some_digest = digest_of("some").text();

std::string layer(std::string_view type, std::uint64_t size = 10, std::string_view annotations = "{}")
{
    return R"({"mediaType":")" + std::string{type} + R"(","digest":")" + some_digest + R"(","size":)" +
           std::to_string(size) + R"(,"annotations":)" + std::string{annotations} + "}";
}

struct Sample {
    std::string config_type = "application/vnd.oci.image.config.v1+json";
    std::string config_annotations = "{}";
    std::string layers = layer("application/vnd.oci.image.layer.v1.tar+gzip", 1000);
    std::string rest = {};  // further fields, each with a comma in front

    std::string bytes() const
    {
        return R"({"schemaVersion":2,"config":)" + layer(config_type, 100, config_annotations) + R"(,"layers":[)" +
               layers + "]" + rest + "}";
    }
    ArtifactView view(std::optional<std::string_view> config = std::nullopt) const
    {
        const auto text = bytes();
        return view_of(Manifest::parse(media::oci_manifest, text).value(), text, config);
    }
};

json::object extra_of(const ArtifactView& view)
{
    return json::parse(view.extra).as_object();
}

TEST(ArtifactView, an_image_shows_what_its_config_says_of_the_platform_and_how_it_runs)
{
    const auto view = Sample{}.view(R"({"architecture":"arm64","variant":"v8","os":"linux","author":"A. Nonym",
        "created":"2026-03-01T10:00:00Z","config":{"Cmd":["/bin/app"],"Env":["PATH=/bin"]},
        "rootfs":{"type":"layers","diff_ids":[]},"history":[{"created_by":"RUN make"}]})");
    EXPECT_EQ(view.type, "IMAGE");
    EXPECT_EQ(view.size, Sample{}.bytes().size() + 1100);
    const auto extra = extra_of(view);
    EXPECT_EQ(extra.at("architecture"), "arm64");
    EXPECT_EQ(extra.at("variant"), "v8");
    EXPECT_EQ(extra.at("author"), "A. Nonym");
    EXPECT_EQ(extra.at("config").as_object().at("Cmd"), json::array{"/bin/app"});
    EXPECT_FALSE(extra.contains("rootfs"));
    EXPECT_FALSE(extra.contains("history"));
    EXPECT_TRUE(view.accessory_type.empty());
    EXPECT_FALSE(view.subject);
}

TEST(ArtifactView, the_kind_follows_from_the_configs_media_type)
{
    const auto type_of = [](std::string config) { return Sample{.config_type = std::move(config)}.view().type; };
    EXPECT_EQ(type_of("application/vnd.docker.container.image.v1+json"), "IMAGE");
    EXPECT_EQ(type_of("application/vnd.cncf.helm.config.v1+json"), "CHART");
    EXPECT_EQ(type_of("application/vnd.wasm.config.v1+json"), "WASM");
    EXPECT_EQ(type_of("application/vnd.cncf.model.config.v1+json"), "CNAI");
    EXPECT_EQ(type_of("application/vnd.goharbor.harbor.sbom.v1"), "SBOM");
    EXPECT_EQ(type_of("application/vnd.acme.rocket.config.v1+json"), "ROCKET");
    EXPECT_EQ(type_of("application/vnd.acme.rocket.engine.config.v2.yaml"), "ROCKET.ENGINE");
    EXPECT_EQ(type_of("application/vnd.acme.rocket.config"), "ROCKET");
    EXPECT_EQ(type_of("application/vnd.acme.config.v1+json"), "UNKNOWN");
    EXPECT_EQ(type_of("application/vnd.oci.empty.v1+json"), "UNKNOWN");
    EXPECT_EQ(type_of("text/plain"), "UNKNOWN");
}

TEST(ArtifactView, an_artifact_type_says_more_than_an_empty_config)
{
    Sample sample{.config_type = "application/vnd.oci.empty.v1+json"};
    sample.rest = R"(,"artifactType":"application/vnd.acme.rocket.config.v1+json")";
    EXPECT_EQ(sample.view().type, "ROCKET");
    sample.rest = R"(,"artifactType":"application/spdx+json")";
    EXPECT_EQ(sample.view().type, "SBOM");
}

TEST(ArtifactView, an_image_that_runs_as_webassembly_is_one)
{
    EXPECT_EQ(Sample{.rest = R"(,"annotations":{"run.oci.handler":"wasm"})"}.view().type, "WASM");
    EXPECT_EQ(Sample{.rest = R"(,"annotations":{"module.wasm.image/variant":"compat-smart"})"}.view().type, "WASM");
}

TEST(ArtifactView, a_chart_and_a_model_show_all_fields_of_their_config)
{
    const auto chart = Sample{.config_type = "application/vnd.cncf.helm.config.v1+json"}.view(
        R"({"name":"web","version":"1.2.3","appVersion":"9","dependencies":[{"name":"db","version":"1"}]})"
    );
    EXPECT_EQ(extra_of(chart).at("version"), "1.2.3");
    EXPECT_TRUE(extra_of(chart).contains("dependencies"));
    const auto model = Sample{.config_type = "application/vnd.cncf.model.config.v1+json"}.view(
        R"({"descriptor":{"name":"tiny"},"config":{"paramSize":"8b"}})"
    );
    EXPECT_EQ(model.type, "CNAI");
    EXPECT_EQ(extra_of(model).at("config").as_object().at("paramSize"), "8b");
}

TEST(ArtifactView, annotations_hide_fields_and_name_a_picture)
{
    Sample sample{.config_type = "application/vnd.acme.rocket.config.v1+json"};
    sample.config_annotations = R"({"io.goharbor.artifact.v1alpha1.skip-list":"secret,plans"})";
    sample.layers =
        layer("application/octet-stream") + "," + layer("image/png", 5, R"({"io.goharbor.artifact.v1alpha1.icon":""})");
    const auto view = sample.view(R"({"secret":1,"plans":2,"thrust":3})");
    EXPECT_EQ(view.extra, R"({"thrust":3})");
    EXPECT_EQ(view.icon, some_digest);
    sample.layers = layer("text/html", 5, R"({"io.goharbor.artifact.v1alpha1.icon":""})");
    EXPECT_EQ(sample.view().icon, "") << "only pictures are";
}

TEST(ArtifactView, what_refers_to_another_artifact_is_an_accessory_of_a_known_kind)
{
    const auto accessory = [](Sample sample) {
        const auto subject = digest_of("subject").text();
        sample.rest += R"(,"subject":{"mediaType":"a/b","digest":")" + subject + R"(","size":3})";
        const auto view = sample.view();
        EXPECT_EQ(view.subject->text(), subject);
        return view.accessory_type;
    };
    EXPECT_EQ(accessory({}), "subject.accessory");
    EXPECT_EQ(accessory({.config_type = "application/vnd.cncf.notary.signature"}), "signature.notation");
    EXPECT_EQ(accessory({.layers = layer("application/vnd.dev.cosign.simplesigning.v1+json")}), "signature.cosign");
    EXPECT_EQ(
        accessory({.rest = R"(,"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json")"}), "signature.cosign"
    );
    EXPECT_EQ(accessory({.config_type = "application/vnd.goharbor.harbor.sbom.v1"}), "sbom.harbor");
    EXPECT_EQ(accessory({.rest = R"(,"artifactType":"application/vnd.cyclonedx+json")"}), "sbom");
}

TEST(ArtifactView, an_accelerated_image_belongs_to_the_one_it_was_made_from)
{
    const auto view =
        Sample{
            .rest = R"(,"annotations":{"io.goharbor.artifact.v1alpha1.acceleration.driver.name":"nydus",)"
                    R"("io.goharbor.artifact.v1alpha1.acceleration.source.digest":")" +
                    some_digest + R"("})"
        }
            .view();
    EXPECT_EQ(view.accessory_type, "accelerator.nydus");
    EXPECT_EQ(view.subject->text(), some_digest);
}

TEST(ArtifactView, tags_of_cosigns_older_scheme_name_their_subject)
{
    const std::string hex{digest_of("image").hex()};
    const auto named = [&](const std::string& text) { return accessory_of(Tag::parse(text).value()); };
    EXPECT_EQ(named("sha256-" + hex + ".sig")->type, "signature.cosign");
    EXPECT_EQ(named("sha256-" + hex + ".sig")->subject, digest_of("image"));
    EXPECT_EQ(named("sha256-" + hex + ".att")->type, "subject.accessory");
    EXPECT_EQ(named("sha256-" + hex + ".sbom")->type, "sbom");
    EXPECT_FALSE(named("sha256-" + hex));
    EXPECT_FALSE(named("sha256-" + hex.substr(1) + ".sig"));
    EXPECT_FALSE(named("latest.sig"));
}

TEST(ArtifactView, an_index_lists_its_children_with_their_platforms)
{
    const auto bytes = R"({"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":")" + some_digest +
                       R"(","size":7,"platform":{"architecture":"arm","os":"linux","variant":"v7","features":["x"]},)" +
                       R"("annotations":{"a":"b"},"urls":["https://example.org/"]},{"mediaType":"a/b","digest":")" +
                       some_digest + R"(","size":7}]})";
    const auto view = view_of(Manifest::parse(media::oci_index, bytes).value(), bytes, std::nullopt);
    EXPECT_EQ(view.type, "IMAGE");
    EXPECT_EQ(view.size, bytes.size()) << "children count when they are here";
    ASSERT_EQ(view.children.size(), 2U);
    EXPECT_EQ(
        view.children[0].text,
        R"("platform":{"architecture":"arm","os":"linux","variant":"v7"},"annotations":{"a":"b"},)"
        R"("urls":["https://example.org/"])"
    );
    EXPECT_EQ(view.children[1].text, "");
}

TEST(ArtifactView, an_index_with_too_many_children_keeps_none_but_can_be_read_again)
{
    std::string entries;
    for (int i = 0; i < 129; ++i) {
        entries += (i ? "," : "") +
                   (R"({"mediaType":"a/b","size":1,"digest":")" + digest_of(std::to_string(i)).text() + "\"}");
    }
    const auto bytes = R"({"schemaVersion":2,"manifests":[)" + entries + "]}";
    EXPECT_TRUE(view_of(Manifest::parse(media::oci_index, bytes).value(), bytes, std::nullopt).children.empty());
    EXPECT_EQ(children_of(bytes).size(), 129U);
}

TEST(ArtifactView, texts_stay_within_their_bounds_and_lose_the_largest_fields_first)
{
    const std::string large(ArtifactView::largest_text, 'x');
    const auto image = Sample{}.view(R"({"os":"linux","config":{"Cmd":["run"],"Labels":{"x":")" + large + R"("}}})");
    EXPECT_EQ(image.extra, R"({"config":{"Cmd":["run"]},"os":"linux"})");
    const auto chart = Sample{.config_type = "application/vnd.cncf.helm.config.v1+json"}.view(
        R"({"name":"web","description":")" + large + R"(","version":"1"})"
    );
    EXPECT_LE(chart.extra.size(), ArtifactView::largest_text);
    EXPECT_TRUE(extra_of(chart).contains("name"));
    EXPECT_FALSE(extra_of(chart).contains("description"));
    const auto noted = Sample{.rest = R"(,"annotations":{"small":"1","large":")" + large + R"("})"}.view();
    EXPECT_EQ(noted.annotations, R"({"small":"1"})");
}

TEST(ArtifactView, many_small_fields_are_cut_in_one_go)
{
    std::string config = "{";
    for (int i = 0; i < 50'000; ++i) config += (i ? ",\"" : "\"") + std::to_string(i) + "\":1";
    const auto view = Sample{.config_type = "application/vnd.acme.rocket.config.v1+json"}.view(config + "}");
    EXPECT_LE(view.extra.size(), ArtifactView::largest_text);
    EXPECT_GT(extra_of(view).size(), 100U);
}

TEST(ArtifactView, a_config_that_is_no_json_object_shows_nothing)
{
    for (const auto* config : {"", "[]", "{", "\"x\"", "\xff\xfe", "{\"a\":\"\xff\"}"}) {
        EXPECT_EQ(Sample{}.view(config).extra, "{}") << config;
    }
}

TEST(ArtifactView, sizes_that_descriptors_invent_do_not_overflow)
{
    Sample sample;
    const auto huge =
        R"({"mediaType":"a/b","urls":["https://x/"],"digest":")" + some_digest + R"(","size":9223372036854775807})";
    sample.layers = huge + "," + huge + "," + huge;
    EXPECT_EQ(sample.view().size, std::uint64_t{1} << 53U);
}

TEST(ArtifactView, knows_how_long_its_author_wants_it)
{
    constexpr Micros hour = Micros{3600} * 1'000'000;
    EXPECT_EQ(Sample{}.view(R"({"config":{"Labels":{"quay.expires-after":"2w"}}})").lasts, 336 * hour);
    EXPECT_EQ(Sample{}.view(R"({"config":{"Labels":{"quay.expires-after":"soon"}}})").lasts, 0);
    EXPECT_EQ(Sample{}.view("{}").lasts, 0);
    EXPECT_EQ(lasting_of("90m"), hour * 3 / 2);
    EXPECT_EQ(lasting_of("1s"), 1'000'000);
    EXPECT_EQ(lasting_of("3653d"), 3653 * 24 * hour);
    for (const std::string_view text : {"", "h", "0h", "-1h", "1.5h", "1y", "3654d", "99999999999999999999w", "12"}) {
        EXPECT_FALSE(lasting_of(text)) << text;
    }
}

TEST(ArtifactView, wants_a_config_of_reasonable_size_that_lies_here)
{
    const auto wants = [](std::uint64_t size, bool foreign) {
        Manifest manifest;
        manifest.config = Descriptor{"a/b", digest_of("x"), size, foreign};
        return wants_config(manifest);
    };
    EXPECT_TRUE(wants(100, false));
    EXPECT_FALSE(wants(100, true));
    EXPECT_FALSE(wants(2, false)) << "{}";
    EXPECT_FALSE(wants(ArtifactView::largest_config + 1, false));
    EXPECT_FALSE(wants_config(Manifest{}));
}

}  // namespace
}  // namespace entrepot

// What lists show, from a manifest and a config that strangers wrote: the first line is the manifest, the rest the
// config. Whatever they are, the texts are JSON of bounded size.
#include "oci/artifact_view.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void expect_object(const std::string& text, std::size_t most)
{
    boost::system::error_code error;
    boost::json::parse_options options;
    options.max_depth = 64;
    const auto value = boost::json::parse(text, error, {}, options);
    if (error || !value.is_object() || text.size() > most) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entrepot;
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    const auto end = std::min(input.find('\n'), input.size());
    const auto bytes = input.substr(0, end);
    const auto config = input.substr(std::min(end + 1, input.size()));
    for (const auto type : {media::oci_manifest, media::oci_index}) {
        const auto manifest = Manifest::parse(type, bytes);
        if (!manifest) continue;
        const auto view = view_of(*manifest, bytes, config);
        expect_object(view.extra, ArtifactView::largest_text);
        expect_object(view.annotations, ArtifactView::largest_text);
        if (view.children.size() > ArtifactView::most_children) std::abort();
        for (const auto& child : view.children) {
            expect_object("{" + child.text + "}", ArtifactView::most_children_text + 2);
        };
        if (view.accessory_type.empty() != !view.subject) std::abort();
    }
    if (const auto tag = Tag::parse(bytes)) (void)accessory_of(*tag);
    return 0;
}

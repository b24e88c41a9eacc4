#include "cli/ctl_generic.hpp"
#include "cli/ctl_lookup.hpp"
#include "cli/ctl_tables.hpp"
#include "cli/swarm_text.hpp"
#include "cli/swarm_watch.hpp"
#include "core/percent.hpp"

#include <boost/json/array.hpp>

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns image_columns{
    {"DIGEST", "digest"},
    {"IMAGE", "image"},
    {"STATE", "state"},
    {"SIZE", "size", CtlFormat::bytes},
    {"NODES", "members"},
    {"COMPLETE", "complete"},
    {"HALF AT %", "half_way"},
    {"BYTES/S", "rate", CtlFormat::bytes},
    {"SECONDS LEFT", "seconds_left"},
    {"EFFICIENCY", "efficiency"},
};
const CtlColumns member_columns{
    {"NAME", "name"},
    {"ZONE", "zone"},
    {"STATE", "state"},
    {"PERMILLE", "progress"},
    {"NEIGHBOURS", "neighbours"},
    {"IDLE %", "idle"},
    {"REGISTRY", "received.origin", CtlFormat::bytes},
    {"ZONE'S", "received.zone", CtlFormat::bytes},
    {"ACROSS", "received.across", CtlFormat::bytes},
    {"SENT", "sent", CtlFormat::bytes},
    {"SINCE", "begun_time"},
};
const CtlColumns part_columns{
    {"DIGEST", "digest"},
    {"IMAGE", "image"},
    {"STATE", "state"},
    {"ZONE", "zone"},
    {"PERMILLE", "progress"},
    {"NEIGHBOURS", "neighbours"},
    {"SINCE", "begun_time"},
};

const CtlArgument image{
    .name = "image", .text = "PROJECT/REPOSITORY:TAG, PROJECT/REPOSITORY@DIGEST, or the manifest's digest alone"
};

// The digests that an image goes by: its manifest's, or those of an index's images.
Result<std::vector<std::string>> digests_of(CtlRun& run)
{
    const auto text = run.value("image");
    if (text.starts_with("sha256:")) return std::vector{std::string{text}};
    TRY(auto* const api, run.api());
    TRY(const auto path,
        run.path("projects/{image:project}/repositories/{image:repository}/artifacts/{image:reference}"));
    TRY(const auto artifact, api->get(path));
    if (!artifact.is_object()) return fail(Errc::internal, "the artifact is no object");
    std::vector digests{field_text(artifact.as_object(), "digest")};
    const auto* const children = find_field(artifact.as_object(), "references");
    if (children == nullptr || !children->is_array()) return digests;
    for (const auto& child : children->as_array()) {
        if (child.is_object()) digests.push_back(field_text(child.as_object(), "child_digest"));
    }
    return digests;
}

// With those of the options that are given, as they are called in the query.
std::string filtered(CtlRun& run, std::string path, std::initializer_list<const char*> options)
{
    for (const auto* const name : options) {
        if (run.has(name))
            path += fmt::format("{}{}={}", path.contains('?') ? '&' : '?', name, percent_encoded(run.value(name)));
    }
    return path;
}

Result<int> list_images(CtlRun& run)
{
    CHECK(run.print_list(
        filtered(run, "swarm/images", {"state", "repository"}),
        image_columns,
        {},
        [](json::object& row) -> Result<> {
            row["image"] = swarm_image_name(row);
            return {};
        }
    ));
    return ctl_exit::success;
}

// Of an index those of its images that are under way.
Result<json::array> images_of(CtlRun& run)
{
    TRY(const auto digests, digests_of(run));
    TRY(auto* const api, run.api());
    json::array images;
    for (const auto& digest : digests) {
        auto found = api->get("swarm/images/" + percent_encoded(digest));
        if (found) {
            images.push_back(*std::move(found));
        } else if (found.error().code() != Errc::not_found) {
            return std::unexpected{std::move(found).error()};
        }
    }
    if (images.empty())
        return fail(Errc::not_found, fmt::format("{} is not under way at this instance", run.value("image")));
    return images;
}

Result<int> show_image(CtlRun& run)
{
    TRY(const auto images, images_of(run));
    const bool as_text = !run.has("output") || run.value("output") == "table";
    for (const auto& one : images) {
        if (!one.is_object()) return fail(Errc::internal, "an image is no object");
        if (as_text && !run.quiet())
            run.io().out(swarm_image_block(one.as_object()));
        else
            run.print_object(one, image_columns);
    }
    return ctl_exit::success;
}

Result<int> list_members(CtlRun& run)
{
    TRY(const auto images, images_of(run));
    for (const auto& one : images) {
        auto path = "swarm/images/" + percent_encoded(field_text(one.as_object(), "digest")) + "/nodes";
        CHECK(run.print_list(filtered(run, std::move(path), {"state", "zone"}), member_columns));
    }
    return ctl_exit::success;
}

// Until it is interrupted, or what was waited for has come.
Result<int> watch_images(CtlRun& run)
{
    std::string path = "swarm/stream";
    if (run.has("image")) {
        TRY(const auto digests, digests_of(run));
        path += "?image=" + percent_encoded(fmt::format("{}", fmt::join(digests, ",")));
    }
    std::int64_t count = 0;
    if (run.has("count")) {
        TRY(const auto number, ctl_value({.name = "count", .kind = CtlValue::integer}, run.value("count"), 0));
        count = number.as_int64();
    }
    TRY(auto* const api, run.api());
    SwarmWatch watch{run};
    const auto ends = [&] {
        return (count > 0 && watch.seen() >= count) || (run.has("until-complete") && watch.complete());
    };
    SseReader reader;
    while (!ends()) {
        Result<> taken;
        CHECK(api->stream(path, {}, [&](std::string_view bytes) {
            reader.take(bytes, [&](const SseEvent& event) {
                if (taken && !ends()) taken = watch.take(event);
            });
            watch.draw();
            return taken.has_value() && !ends();
        }));
        CHECK(taken);
    }
    return ctl_exit::success;
}

// In which images a node takes part, as this instance knows it.
Result<int> show_node(CtlRun& run)
{
    TRY(auto* const api, run.api());
    TRY(const auto images, api->all("swarm/images"));
    json::array parts;
    for (const auto& value : images) {
        const auto& one = value.as_object();
        const auto digest = field_text(one, "digest");
        const auto path =
            fmt::format("swarm/images/{}/nodes?name={}", percent_encoded(digest), percent_encoded(run.value("node")));
        auto nodes = api->all(path);
        // It may have ended meanwhile.
        if (!nodes && nodes.error().code() == Errc::not_found) continue;
        if (!nodes) return std::unexpected{std::move(nodes).error()};
        for (auto& node : *nodes) {
            auto& part = node.as_object();
            part["digest"] = digest;
            part["image"] = swarm_image_name(one);
            parts.push_back(std::move(node));
        }
    }
    CHECK(run.print_rows(parts, part_columns));
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> swarm_image_commands()
{
    const CtlOption of_state{
        .name = "state", .value = "STATE", .text = "in this state", .choices = {"idle", "active", "complete"}
    };
    auto watched = image;
    watched.optional = true;
    return {
        {.path = "node show",
         .text = "says which images a node takes part in",
         .arguments = {{.name = "node", .text = "the node's name"}},
         .traits = ctl_showing,
         .run = show_node,
         .more = "As the instance of the registry knows it that answers."},
        {.path = "swarm list",
         .text = "lists images that go from node to node, those that began last first",
         .options = {of_state, {.name = "repository", .value = "NAME", .text = "of the repository of this full name"}},
         .traits = ctl_listing,
         .run = list_images,
         .more = "As the instance of the registry knows it that answers: each tracks the nodes that came to it."},
        {.path = "swarm show",
         .text = "shows how far an image is, by zones",
         .arguments = {image},
         .traits = ctl_showing,
         .run = show_image,
         .example = "entrepot ctl swarm show shop/web:1.4"},
        {.path = "swarm nodes",
         .text = "lists the nodes that take part in an image, the slowest first",
         .arguments = {image},
         .options =
             {{.name = "state", .value = "STATE", .text = "in this state", .choices = {"active", "complete", "silent"}},
              {.name = "zone", .value = "ZONE", .text = "of this zone"}},
         .traits = ctl_listing,
         .run = list_members},
        {.path = "swarm watch",
         .text = "shows how images get on, as it happens",
         .arguments = {watched},
         .options =
             {{.name = "until-complete", .text = "ends when all nodes that take part have all of it"},
              {.name = "count", .value = "NUMBER", .text = "ends after so many news"}},
         .traits = ctl_showing,
         .run = watch_images,
         .more =
             "On a terminal it is drawn anew at most once a second, elsewhere each news is a line, and with -o json a "
             "line of JSON. Where the connection is lost it goes on with what is so then.",
         .example = "entrepot ctl swarm watch shop/web:1.4 --until-complete"},
    };
}

}  // namespace entrepot

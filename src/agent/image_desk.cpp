#include "agent/image_desk.hpp"

#include "core/log.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "swarm/hex32.hpp"

#include <boost/asio/this_coro.hpp>

#include <span>
#include <utility>
#include <vector>

namespace entrepot {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t most_refused = 4096;

// Of rights, rather than for want of an image.
constexpr bool is_refusal(unsigned status)
{
    return status == 401 || status == 403;
}

// What the registry says to one who asks for an image with a right that it gave itself.
Result<> check_ahead(unsigned status, bool is_known)
{
    if (status == 200 || (status == 304 && is_known)) return {};
    const auto said = std::to_string(status);
    if (status == 401) return fail(Errc::unauthorized, "the registry does not take the job's token", said);
    if (status == 403) return fail(Errc::denied, "who asked for it may not pull the image any more", said);
    if (status == 404) return fail(Errc::not_found, "the registry does not have the image any more", said);
    if (status < 500 && status != 429) return fail(Errc::unsupported, "the image can't be shared between nodes", said);
    return fail(Errc::unavailable, "the registry does not answer", said);
}

// An image of one blob alone, for one whose manifest went through here too long ago.
Result<ImageDescriptor> descriptor_around(const DescribedBlob& blob)
{
    return ImageDescriptor::of(
        {.manifest = {}, .platform = {}, .chunks_of_piece = PieceLayout::chunks_of_piece_for(blob.size), .blobs = {blob}
        }
    );
}

std::string hashes_of(const ChunkVerifier& verifier)
{
    std::vector<Sha256> hashes;
    hashes.reserve(verifier.chunks());
    for (std::uint32_t chunk = 0; chunk < verifier.chunks(); ++chunk) hashes.push_back(verifier.expected(chunk));
    return encode_hash_list(hashes);
}

}  // namespace

ServedImagePtr ImageDesk::known(const PulledBlob& blob) const
{
    const auto hash = sha256_of_digest(blob.digest);
    return hash ? needs_.grants.find(blob.puller, blob.repository, *hash) : nullptr;
}

asio::awaitable<ServedImagePtr> ImageDesk::find(PulledBlob blob)
{
    const auto hash = sha256_of_digest(blob.digest);
    if (!hash) co_return nullptr;
    if (auto image = needs_.grants.find(blob.puller, blob.repository, *hash)) co_return image;
    needs_.grants.sweep();
    const auto manifest = needs_.manifests.image_with(blob.repository, *hash);
    const auto name = blob.puller.key() + " " + blob.repository.text() + (manifest ? " image " : " blob ") +
                      hex_of(manifest.value_or(*hash));
    if (is_refused(name)) co_return nullptr;
    const auto where = co_await asio::this_coro::executor;
    FlightPtr flight;
    {
        const std::lock_guard guard{mutex_};
        auto& place = flights_[name];
        if (!place) {
            place = std::make_shared<Flight>();
            if (!needs_.tasks.spawn(where, fly(place, name, std::move(blob), manifest))) {
                flights_.erase(name);
                co_return nullptr;
            }
        }
        flight = place;
    }
    const auto until = steady_clock::now() + options_.patience;
    for (;;) {
        const auto heard = flight->bell.rung();
        {
            const std::lock_guard guard{flight->mutex};
            if (flight->outcome) co_return *flight->outcome;
        }
        const auto left = until - steady_clock::now();
        if (left <= left.zero()) co_return nullptr;
        co_await flight->bell.wait(heard, left);
    }
}

void ImageDesk::renew(const asio::any_io_executor& where, PulledBlob blob)
{
    const auto ask = [](ImageDesk& desk, PulledBlob wanted) -> asio::awaitable<void> {
        co_await desk.find(std::move(wanted));
    };
    if (!known(blob)) (void)needs_.tasks.spawn(where, ask(*this, std::move(blob)));
}

asio::awaitable<void>
ImageDesk::fly(FlightPtr flight, std::string name, PulledBlob blob, std::optional<Sha256> manifest)
{
    const auto began = steady_clock::now();
    Asked asked;
    try {
        auto asking = manifest ? ask_for_image(std::move(blob), *manifest) : ask_for_blob(std::move(blob));
        asked = co_await std::move(asking);
    } catch (const std::exception& thrown) {
        log::warning("asking the registry for an image ended", {{"error", thrown.what()}});
    }
    needs_.counters.authorising.observe(steady_clock::now() - began);
    if (!asked.image) refuse(name, asked.not_for);
    {
        const std::lock_guard guard{mutex_};
        flights_.erase(name);
    }
    {
        const std::lock_guard guard{flight->mutex};
        flight->outcome = std::move(asked.image);
    }
    flight->bell.ring();
}

asio::awaitable<ImageDesk::Asked> ImageDesk::ask_for_image(PulledBlob blob, Sha256 manifest)
{
    const auto here = open_of(manifest);
    auto node = needs_.carrier != nullptr ? needs_.carrier->node() : std::nullopt;
    auto asking = needs_.registry.bundle(
        blob.repository,
        digest_of_sha256(manifest),
        blob.puller,
        std::move(node),
        here ? std::optional{here->swarm()} : std::nullopt
    );
    auto answer = co_await std::move(asking);
    if (!answer) {
        log::failure(log::Level::warning, "asking the registry for an image", answer.error());
        co_return Asked{.image = nullptr, .not_for = options_.failed_for};
    }
    const auto status = answer->status;
    if (status != 200 && (status != 304 || !here)) {
        if (is_refusal(status)) needs_.counters.grants_refused.fetch_add(1, std::memory_order_relaxed);
        // A refusal of rights may be over as soon as the next request; what is no image stays none.
        const bool is_none = status == 404 || status == 405;
        const bool is_ill = status >= 500 || status == 429;
        co_return Asked{
            .image = nullptr,
            .not_for = is_none  ? options_.refused_for
                       : is_ill ? options_.failed_for
                                : std::chrono::milliseconds{0},
        };
    }
    auto ticket = std::move(answer->ticket);
    Asked asked{.image = here};
    if (status == 200) {
        auto opening = opened(*std::move(answer), manifest);
        asked = co_await std::move(opening);
    }
    if (!asked.image) co_return asked;
    needs_.counters.grants.fetch_add(1, std::memory_order_relaxed);
    needs_.grants.grant(blob.puller, blob.repository, asked.image);
    if (needs_.carrier != nullptr && !ticket.empty())
        needs_.carrier->bring(asked.image->shared(), std::move(ticket), true);
    co_return asked;
}

Task<ServedImagePtr> ImageDesk::open_ahead(RepositoryName repository, Sha256 manifest, Puller right)
{
    auto image = open_of(manifest);
    auto node = needs_.carrier != nullptr ? needs_.carrier->node() : std::nullopt;
    const auto known = image ? std::optional{image->swarm()} : std::nullopt;
    auto asking = needs_.registry.bundle(
        std::move(repository), digest_of_sha256(manifest), std::move(right), std::move(node), known
    );
    CO_TRY(auto answer, co_await std::move(asking));
    CO_CHECK(check_ahead(answer.status, image != nullptr));
    if (answer.status == 200) {
        CO_TRY(auto descriptor, ImageDescriptor::parse(as_bytes(answer.descriptor)));
        if (descriptor.manifest() != manifest)
            co_return fail(Errc::corrupt, "the registry gave a bundle that is not the image's");
        // Before others make room for what won't come all the same.
        if (descriptor.layout().bytes() > needs_.store.statistics().budget_bytes)
            co_return fail(Errc::storage_full, "the image is larger than the node's budget of disk");
        auto opening = open(std::move(descriptor), std::move(answer.hashes), true);
        CO_TRY(image, co_await std::move(opening));
    }
    if (needs_.carrier != nullptr && !answer.ticket.empty())
        needs_.carrier->bring(image->shared(), std::move(answer.ticket), false);
    co_return image;
}

asio::awaitable<ImageDesk::Asked> ImageDesk::opened(BundleAnswer answer, Sha256 manifest)
{
    auto descriptor = ImageDescriptor::parse(as_bytes(answer.descriptor));
    if (!descriptor || descriptor->manifest() != manifest) {
        log::warning("the registry gave a bundle that is not the image's", {{"manifest", hex_of(manifest)}});
        co_return Asked{.image = nullptr, .not_for = options_.refused_for};
    }
    auto opening = open(*std::move(descriptor), std::move(answer.hashes), true);
    auto image = co_await std::move(opening);
    if (image) co_return Asked{.image = *std::move(image)};
    note_unkept(image.error());
    co_return Asked{.image = nullptr, .not_for = options_.failed_for};
}

asio::awaitable<ImageDesk::Asked> ImageDesk::ask_for_blob(PulledBlob blob)
{
    // Before the disk is looked at: how soon an answer comes must not tell what is there.
    auto asking = needs_.registry.open(
        {.head = true,
         .target = RegistryClient::blob_target(blob.repository, blob.digest),
         .authorization = blob.puller.authorization()}
    );
    const auto answer = co_await std::move(asking);
    if (!answer) co_return Asked{.image = nullptr, .not_for = options_.failed_for};
    if (answer->status != 200) {
        if (is_refusal(answer->status)) needs_.counters.grants_refused.fetch_add(1, std::memory_order_relaxed);
        co_return Asked{};
    }
    auto pinning = offload(needs_.pool, [&store = needs_.store, hash = *sha256_of_digest(blob.digest)] {
        return store.pin(hash);
    });
    const auto pin = co_await std::move(pinning);
    if (!pin) co_return Asked{};
    auto descriptor = descriptor_around(pin->blob());
    if (!descriptor) co_return Asked{};
    auto opening = open(*std::move(descriptor), hashes_of(pin->verifier()), false);
    auto image = co_await std::move(opening);
    if (!image) co_return Asked{};
    needs_.counters.grants.fetch_add(1, std::memory_order_relaxed);
    needs_.grants.grant(blob.puller, blob.repository, *image);
    co_return Asked{.image = *std::move(image)};
}

Task<ServedImagePtr> ImageDesk::open(ImageDescriptor descriptor, std::string hashes, bool in_swarm)
{
    if (auto image = open_already(descriptor.id())) co_return image;
    auto opening = offload(
        needs_.pool,
        [&needs = needs_, descriptor = std::move(descriptor), hashes = std::move(hashes)]() mutable {
            return AgentImage::open(needs.store, needs.pool, std::move(descriptor), hashes);
        }
    );
    CO_TRY(auto image, co_await std::move(opening));
    auto served = std::make_shared<ServedImage>(std::move(image), in_swarm);
    const std::lock_guard guard{mutex_};
    std::erase_if(images_, [](const auto& each) { return each.second.expired(); });
    auto& place = images_[served->swarm()];
    // Another puller may have been faster.
    if (auto first = place.lock()) co_return first;
    place = served;
    needs_.counters.images.fetch_add(1, std::memory_order_relaxed);
    co_return served;
}

ServedImagePtr ImageDesk::open_already(const SwarmId& swarm)
{
    const std::lock_guard guard{mutex_};
    const auto place = images_.find(swarm);
    return place == images_.end() ? nullptr : place->second.lock();
}

ServedImagePtr ImageDesk::open_of(const Sha256& manifest)
{
    const std::lock_guard guard{mutex_};
    for (const auto& [swarm, place] : images_) {
        auto image = place.lock();
        if (image && image->in_swarm() && image->image().descriptor().manifest() == manifest) return image;
    }
    return nullptr;
}

bool ImageDesk::is_refused(const std::string& name)
{
    const std::lock_guard guard{mutex_};
    const auto place = refused_.find(name);
    if (place == refused_.end()) return false;
    if (steady_clock::now() < place->second) return true;
    refused_.erase(place);
    return false;
}

void ImageDesk::refuse(const std::string& name, std::chrono::milliseconds time)
{
    if (time <= time.zero()) return;
    const std::lock_guard guard{mutex_};
    if (refused_.size() >= most_refused) refused_.clear();
    refused_[name] = steady_clock::now() + time;
}

void ImageDesk::note_unkept(const Error& error)
{
    if (needs_.counters.store_failed())
        log::failure(log::Level::warning, "images are passed on and not kept: an image", error);
}

}  // namespace entrepot
